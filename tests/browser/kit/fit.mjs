// Whether a page is fit for everybody: what axe finds, light and dark; nothing wider than a telephone; a way by keyboard.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds serious or critical. The source goes in past the page's own policy, which stays in force. */
async function serious(window) {
  const { page } = window;
  await window.settled();
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
}

/** What reaches beyond the right edge of the window without a scroll area of its own. */
const tooWide = (page) =>
  page.evaluate(() => {
    const scrolls = (element) => element && (/auto|scroll/.test(getComputedStyle(element).overflowX) && element.matches('.pf-v6-c-page__main-section *, [role="dialog"] *') ? true : scrolls(element.parentElement));
    const main = document.querySelector('.pf-v6-c-page__main');
    const wide = [document.documentElement, main].filter((element) => element && element.scrollWidth > element.clientWidth);
    if (wide.length === 0) return [];
    return [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1 && !scrolls(element)).map((element) => element.outerHTML.slice(0, 120));
  });

/** Takes its screenshots, and tells what is wrong with it. */
export async function examine(window, name) {
  const { page } = window;
  const found = [];
  await window.screenshot(`${name}-1280`);
  found.push(...(await serious(window)).map((text) => `light: ${text}`));
  await page.emulateMedia({ colorScheme: 'dark' });
  await window.screenshot(`${name}-dark`);
  found.push(...(await serious(window)).map((text) => `dark: ${text}`));
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 375, height: 720 });
  await window.screenshot(`${name}-375`);
  found.push(...(await tooWide(page)).map((text) => `375 px: ${text}`));
  await page.setViewportSize({ width: 1280, height: 720 });
  return found.map((text) => `${name}: ${text}`);
}

/** Presses Tab until the one of that name has the focus, and shows it. */
export function reachIn(window) {
  const { page } = window;
  return async (role, name) => {
    const target = await window.sees(role, name);
    for (let tabs = 0; tabs < 60; ++tabs) {
      await page.keyboard.press('Tab');
      if (await target.evaluate((element) => element === document.activeElement && element.matches(':focus-visible'))) return;
    }
    throw new Error(`Tab does not lead to ${role} ${name}`);
  };
}
