// A program with cookies that fetches pages and sends their forms: for preparing what a test needs, and for what no
// browser would send.

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'", '#38': '&', '#60': '<', '#62': '>' };

export class Client {
  constructor(url) {
    this.url = url;
    this.cookies = new Map();
  }

  /** Never follows a redirect. */
  async ask(method, path, { fields, headers = {} } = {}) {
    const answer = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '), accept: 'text/html', ...headers },
      body: fields && new URLSearchParams(fields),
    });
    for (const line of answer.headers.getSetCookie()) this.keep(line);
    return { status: answer.status, headers: answer.headers, text: await answer.text(), location: answer.headers.get('location') };
  }

  keep(line) {
    const [name, value] = line.split(';', 1)[0].split('=');
    if (value === '') this.cookies.delete(name);
    else this.cookies.set(name, value);
  }

  async get(path, options) {
    return this.ask('GET', path, options);
  }

  async post(path, fields = {}, headers = {}) {
    return this.ask('POST', path, { fields, headers });
  }

  /** Fetches the page with a form, and sends that with these fields over what it holds already. */
  async send(path, fields = {}) {
    const page = await this.get(path);
    if (page.status !== 200) throw new Error(`GET ${path}: ${page.status}`);
    return this.post(path.split('?')[0], { ...hiddenFields(page.text), ...fields });
  }

  /** The cookies, for a browser that goes on as the same person. */
  forBrowser() {
    return [...this.cookies].map(([name, value]) => ({ name, value, url: this.url, httpOnly: true, sameSite: 'Lax' }));
  }
}

/** The hidden fields of a page's forms: the id of a form that works once, tokens, the way back. */
export function hiddenFields(text) {
  const inputs = text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
  return Object.fromEntries([...inputs].map(([, name, value]) => [name, unescaped(value)]));
}

export function unescaped(text) {
  return text.replaceAll(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}
