import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { AdjustIcon, MoonIcon, SunIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { chooseTheme, useTheme, type Theme } from './theme';

const themes: { theme: Theme; text: string; icon: React.ReactNode }[] = [
  { theme: 'system', text: 'As the system', icon: <AdjustIcon /> },
  { theme: 'light', text: 'Light', icon: <SunIcon /> },
  { theme: 'dark', text: 'Dark', icon: <MoonIcon /> },
];

export function ThemeMenu() {
  const [open, setOpen] = useState(false);
  const present = useTheme();
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={(_event, value) => {
        chooseTheme(value as Theme);
        setOpen(false);
      }}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plain" isExpanded={open} onClick={() => setOpen(!open)} aria-label="Theme">
          {themes.find(({ theme }) => theme === present)?.icon}
        </MenuToggle>
      )}
    >
      <DropdownList>
        {themes.map(({ theme, text, icon }) => (
          <DropdownItem key={theme} value={theme} icon={icon} isSelected={theme === present}>
            {text}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
