// Before the first paint: the theme that was chosen, or the one of the system.
(function () {
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  function chosen() {
    try {
      return window.localStorage.getItem('theme');
    } catch (error) {
      return null;
    }
  }
  function apply() {
    var theme = chosen();
    var is_dark = theme === 'dark' || (theme !== 'light' && dark.matches);
    document.documentElement.classList.toggle('pf-v6-theme-dark', is_dark);
    window.dispatchEvent(new Event('themechange'));
  }
  apply();
  dark.addEventListener('change', apply);
  window.addEventListener('themechosen', apply);
})();
