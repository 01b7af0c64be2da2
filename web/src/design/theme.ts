// The theme that the person chose in this browser; public/theme.js applies it before the first paint.
import { useEffect, useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

export function chosenTheme(): Theme {
  const theme = window.localStorage.getItem('theme');
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') window.localStorage.removeItem('theme');
  else window.localStorage.setItem('theme', theme);
  window.dispatchEvent(new Event('themechosen'));
}

export function useTheme(): Theme {
  const [theme, setTheme] = useState(chosenTheme);
  useEffect(() => {
    const update = () => setTheme(chosenTheme());
    window.addEventListener('themechange', update);
    return () => window.removeEventListener('themechange', update);
  }, []);
  return theme;
}
