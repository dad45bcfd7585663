// Pictures of every page, whole: light and dark at 1280 px, and light at 320 px.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch } from './browser.mjs';
import { openPage, PAGES } from './pages.mjs';
import { wholeWorld } from './world.mjs';

const LOOKS = [
  { look: 'light', width: 1280, colorScheme: 'light' },
  { look: 'dark', width: 1280, colorScheme: 'dark' },
  { look: '320', width: 320, colorScheme: 'light' },
];

const [directory, binary] = process.argv.slice(2);
process.env.TOLLGATE_BINARY = resolve(binary);
mkdirSync(directory, { recursive: true });

const [browser, world] = await Promise.all([launch(), wholeWorld()]);
try {
  for (const page of PAGES) await picture(page);
  console.log(`${PAGES.length * LOOKS.length} pictures in ${directory}`);
} finally {
  await Promise.all([browser.close(), world.stop()]);
}

async function picture(page) {
  const visitor = await openPage(browser, world, page, { reducedMotion: 'reduce' });
  for (const { look, width, colorScheme } of LOOKS) {
    await visitor.page.setViewportSize({ width, height: 800 });
    await visitor.page.emulateMedia({ colorScheme });
    await visitor.page.screenshot({ path: join(directory, `${page.name}.${look}.png`), fullPage: true });
  }
  await visitor.close();
}
