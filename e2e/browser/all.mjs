// Runs the test files, two at a time: each has its own server and its own browser.

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const AT_ONCE = 2;
// A file that hangs ends the run with its name, not the whole stage without one.
const LONGEST_FILE = 480_000;

const [binary, ...words] = process.argv.slice(2);
process.env.TOLLGATE_BINARY = resolve(binary);

const directory = fileURLToPath(new URL('tests/', import.meta.url));
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort()
  .map((name) => directory + name);
if (files.length === 0) throw new Error(`no test file holds one of: ${words.join(' ')}`);

const events = run({ files, concurrency: AT_ONCE, timeout: LONGEST_FILE });
events.on('test:fail', () => { process.exitCode = 1; });
events.compose(new spec()).pipe(process.stdout);
