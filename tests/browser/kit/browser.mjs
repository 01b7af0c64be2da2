// Chromium, one window for each person. What a page must never do fails the test: an error in the console, an
// exception, a violation of the Content-Security-Policy, an answer that the test did not announce.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';

const screenshots = process.env.OA_SCREENSHOTS ?? 'screenshots';
export const patience = 30_000; // ms; a machine may be busy

const windows = new Set();
let failed = null;

/** A step of the suite: they build on each other, so that none runs after one that failed. */
export function step(name, body) {
  test(name, { timeout: 120_000 }, async (t) => {
    if (failed) throw new Error(`not tried: “${failed}” failed`);
    try {
      await body(t);
    } catch (error) {
      failed = name;
      for (const [index, window] of [...windows].entries()) await window.screenshot(`failed-${basename(process.argv[1], '.test.mjs')}-${index}`).catch(() => {});
      throw error;
    }
  });
}

/** For what no page shows: asks until it holds. */
export async function eventually(holds) {
  for (const began = Date.now(); !(await holds()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (Date.now() - began > patience) throw new Error('it never came true');
  }
}

export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: process.env.OA_CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  return {
    version: browser.version(),
    /** A window with cookies of its own. */
    async window(service, { address = service.address, ...options } = {}) {
      const context = await browser.newContext({ baseURL: address, locale: 'en-GB', timezoneId: 'UTC', acceptDownloads: true, ...options });
      context.setDefaultTimeout(patience);
      const page = await context.newPage();
      const window = new Window(service, context, page);
      windows.add(window);
      return window;
    },
    close: () => browser.close(),
  };
}

export class Window {
  #faults = [];
  #expected = [];

  constructor(service, context, page) {
    this.service = service;
    this.context = context;
    this.page = page;
    this.expect(401, /\/v1\/me$/); // the pages ask who is signed in
    page.on('pageerror', (error) => this.#faults.push(`exception: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const url = message.location().url;
      const status = Number(/status of (\d+)/.exec(message.text())?.[1] ?? 0);
      const known = this.#expected.some((each) => each.status === status && each.url.test(url));
      const lost = /net::ERR_/.test(message.text()) && this.#expected.some((each) => each.status === 0 && each.url.test(url));
      if (!known && !lost) this.#faults.push(`console: ${message.text()} (${url})`);
    });
  }

  /** Announces an answer of that status (0: none, the connection breaks) to requests of such an address. */
  expect(status, url) {
    this.#expected.push({ status, url });
  }

  async signIn(person, { next } = {}) {
    const { page, service } = this;
    await page.goto(next ?? '/');
    await this.fillSignIn(service.emails[person], service.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: /^Account of/ }).waitFor();
    return this;
  }

  async fillSignIn(email, password) {
    await this.page.getByLabel('Organisation').fill(this.service.organisation);
    await this.page.getByLabel('E-mail address').fill(email);
    await this.page.getByLabel('Password').fill(password);
  }

  /** Waits for the one that is named and seen. */
  async sees(...where) {
    const locator = typeof where[0] === 'string' ? this.page.getByRole(where[0], { name: where[1], exact: typeof where[1] === 'string' }) : where[0];
    await locator.first().waitFor();
    return locator.first();
  }

  async button(name) {
    await this.page.getByRole('button', { name, exact: typeof name === 'string' }).first().click();
  }

  /** Waits until nothing moves or changes its colour any more. */
  async settled() {
    await this.page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const ending = document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity);
      await Promise.allSettled(ending.map(({ finished }) => finished));
    });
  }

  /** The whole page, not only what fits the window. */
  async screenshot(name) {
    mkdirSync(screenshots, { recursive: true });
    const { page } = this;
    const size = page.viewportSize();
    const height = await page.evaluate(() => {
      const main = document.querySelector('.pf-v6-c-page__main');
      return main ? main.scrollHeight - main.clientHeight : document.documentElement.scrollHeight - window.innerHeight;
    });
    if (height > 0) await page.setViewportSize({ width: size.width, height: Math.min(size.height + height, 6000) });
    await this.settled();
    await page.screenshot({ path: join(screenshots, `${name}.png`) });
    if (height > 0) await page.setViewportSize(size);
  }

  async close() {
    await this.context.close();
    windows.delete(this);
    assert.deepEqual(this.#faults, []);
  }
}
