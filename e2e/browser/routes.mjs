// What the server's own table of routes says, so that no page can be forgotten.

import { readFileSync } from 'node:fs';

/** The paths that the server's table answers with GET: those of `pages`, and of the functions that it nests or merges. */
export function routesOfServer() {
  const table = readFileSync(new URL('../../crates/server/src/http/mod.rs', import.meta.url), 'utf8');
  return routesIn(table, 'pages', '');
}

function routesIn(table, name, prefix) {
  const body = table.match(new RegExp(`fn ${name}\\(\\)[^]*?\\n}`))[0];
  return body.split(/(?=\.(?:route|nest|merge)\()/).flatMap((step) => {
    const inner = step.match(/^\.(?:nest|merge)\([^()]*?(\w+)\(\)\)/)?.[1];
    const path = prefix + (step.match(/^\.\w+\(\s*"([^"]*)"/)?.[1] ?? '');
    if (inner) return routesIn(table, inner, path);
    return /^\.route\(/.test(step) && /\bget\(/.test(step) ? [path.replace(/(?<=.)\/$/, '')] : [];
  });
}
