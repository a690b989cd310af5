import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where Debian, Ubuntu and GitHub's runners have Chromium or Chrome; `CHROME` names another. */
const PLACES = [process.env.CHROME, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const CHROMIUM = PLACES.find((path) => path !== undefined && existsSync(path));

export interface Window {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

/** A page as a person would find it who is not connected to any network. */
export interface Seen {
  /** What the page asked the network for, and what its scripts complained of. */
  readonly complaints: readonly string[];
  readonly text: string;
  /** Pixels by which the page is wider than the window. */
  readonly overflow: number;
  /** Of each chart that shows, the share of its pixels that are drawn on. */
  readonly charts: readonly number[];
  /** Brightness of the page's background, 0 to 255. */
  readonly brightness: number;
}

/** Opens a file in Chromium. @param executablePath {@link CHROMIUM} */
export async function look(executablePath: string, file: string, { width, scheme }: Window): Promise<Seen> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
  try {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, offline: true });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => request.url().startsWith('http') && complaints.push(request.url()));
    await page.goto(`file://${file}`);
    return { complaints, ...(await page.evaluate<Omit<Seen, 'complaints'>>(MEASURE)) };
  } finally {
    await browser.close();
  }
}

/** Runs in the page. */
const MEASURE = `(() => {
  const drawn = (canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value !== 0).length / (data.length / 4);
  };
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number);
  return {
    text: document.body.innerText,
    overflow: document.documentElement.scrollWidth - innerWidth,
    charts: [...document.querySelectorAll('canvas')].filter((canvas) => canvas.offsetParent !== null).map(drawn),
    brightness: (red + green + blue) / 3,
  };
})()`;
