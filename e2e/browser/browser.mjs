// Debian's Chromium, and a tab that hears everything that goes wrong in it.

import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const PATIENCE = 20_000;

export function launch(options = {}) {
  // Chromium refuses to run as root in its own sandbox.
  return chromium.launch({ executablePath: findChromium(), chromiumSandbox: process.getuid() !== 0, ...options });
}

function findChromium() {
  const candidates = NAMES.flatMap((name) => process.env.PATH.split(delimiter).map((directory) => join(directory, name)));
  const found = candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error(`None of ${NAMES.join(', ')} is on the PATH`);
  return found;
}

/** A person's browser: cookies of its own, one tab, and everything written down that must not happen. */
export class Visitor {
  static async open(browser, url, options = {}) {
    const context = await browser.newContext({
      baseURL: url,
      acceptDownloads: true,
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const self = new Visitor(context, url);
    await context.addInitScript(tellOfViolations);
    self.page = await context.newPage();
    return self;
  }

  constructor(context, url) {
    this.context = context;
    this.host = new URL(url).host;
    this.problems = [];
    this.expected = [];
    this.texts = [];
    this.reading = [];
    context.on('console', (message) => this.hear(message));
    context.on('weberror', (error) => this.problems.push(`page error: ${error.error()}`));
    context.on('request', (request) => this.look(request));
    context.on('response', (response) => this.read(response));
    context.on('requestfailed', (request) => this.failed(request));
  }

  hear(message) {
    // The browser says this of every answer with an error's status; `read` judges those.
    const isStatus = /^Failed to load resource: the server responded with a status of/.test(message.text());
    if (message.type() === 'error' && !isStatus) this.problems.push(`console: ${message.text()}`);
  }

  look(request) {
    const { host, protocol } = new URL(request.url());
    if (protocol === 'blob:') return;
    if (host !== this.host) this.problems.push(`request to another host: ${request.url()}`);
  }

  read(response) {
    const status = response.status();
    const what = `${response.request().method()} ${response.url()}`;
    if (status >= 400) {
      const at = this.expected.indexOf(status);
      if (at < 0) this.problems.push(`${what}: ${status}`);
      else this.expected.splice(at, 1);
    }
    const isText = /^text\/html|json/.test(response.headers()['content-type'] ?? '');
    if (!isText || (status >= 300 && status < 400)) return;
    const text = response.text().then((body) => this.texts.push({ what, body }), () => {});
    this.reading.push(text);
  }

  failed(request) {
    // Whoever leaves a page ends what its live line was asking.
    const isEnded = request.failure()?.errorText === 'net::ERR_ABORTED';
    if (isEnded && (request.resourceType() === 'fetch' || this.abortsAllowed)) return;
    this.problems.push(`request failed: ${request.url()}: ${request.failure()?.errorText}`);
  }

  /** What happens in `act` brings exactly these error statuses. */
  async expecting(statuses, act) {
    this.expected.push(...[statuses].flat());
    const result = await act();
    assert.deepEqual(this.expected, [], 'answers with these statuses did not come');
    return result;
  }

  /** All pages and answers that the browser has had so far, as text. */
  async answers() {
    await Promise.all(this.reading);
    return this.texts;
  }

  /** Does something that leads to another page, and waits until that is there. */
  async leading(act) {
    const loaded = this.page.waitForEvent('load');
    // When `act` fails its own error is the one to show.
    loaded.catch(() => {});
    await act();
    await loaded;
    await Promise.all(this.reading);
  }

  press(name, options = {}) {
    return this.leading(() => this.page.getByRole('button', { name, exact: true }).click(options));
  }

  follow(name) {
    return this.leading(() => this.page.getByRole('link', { name, exact: true }).click());
  }

  /** Fills fields by their labels. */
  async fill(values) {
    for (const [label, value] of Object.entries(values)) await this.page.getByLabel(label, { exact: true }).fill(value);
  }

  get path() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  check() {
    const problems = this.problems.splice(0);
    assert.deepEqual(problems, [], `problems in the browser at ${this.page.url()}`);
  }

  async close() {
    await Promise.all(this.reading);
    await this.context.close();
    this.check();
  }
}

/** Runs in every page before its own script. A violation of the policy becomes an error of the console. */
function tellOfViolations() {
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`violates the policy ${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
  });
}
