// Comforts for pages that work without them. Under the policy of these pages nothing inline runs, so everything is found
// by its data attribute.

const all = (selector, inside = document) => inside.querySelectorAll(selector);
const root = document.documentElement;

const live = document.createElement("div");
live.className = "aside";
live.setAttribute("role", "status");
document.body.append(live);

function say(text) {
  // The same words twice in a row are read out only when something changed in between.
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 50);
}

for (const element of all("[data-hidden-without-script], [data-copy], [data-copy-from], [data-copy-all], [data-download]")) {
  element.hidden = false;
}

// ---- Copy -------------------------------------------------------------------------------------------------------------

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or plain HTTP on another host than this one, where the browser offers no clipboard.
    const field = document.createElement("textarea");
    const before = document.activeElement;
    field.className = "aside";
    field.readOnly = true;
    field.value = text;
    document.body.append(field);
    field.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch { /* stays false */ }
    field.remove();
    before?.focus();
    return done;
  }
}

const restore = new WeakMap();

async function copyBy(button, text) {
  const done = text !== "" && await copy(text);
  const words = button.querySelector("[data-words]") ?? button.firstChild;
  const kept = restore.get(button) ?? { words: words.textContent, label: button.getAttribute("aria-label") };
  clearTimeout(kept.timer);
  const answer = done ? "Copied" : "Not copied";
  words.textContent = answer;
  // A label of its own would keep the old words for those who hear the page.
  if (kept.label !== null) button.setAttribute("aria-label", `${answer}: ${kept.label}`);
  say(done ? "Copied" : "Not copied: select the text and copy it by hand");
  kept.timer = setTimeout(() => {
    words.textContent = kept.words;
    if (kept.label !== null) button.setAttribute("aria-label", kept.label);
    restore.delete(button);
  }, 2000);
  restore.set(button, kept);
}

// ---- The page that shows a secret -------------------------------------------------------------------------------------

const secretPage = document.querySelector("[data-secret-page]");

// Every field of the page by its id: key-secret is TOLLGATE_KEY_SECRET in the environment and keySecret in JSON.
function fields() {
  const list = [...all(":is(input, textarea)[readonly][id]", secretPage)].map(({ id, value }) => [id, value]);
  return secretPage.dataset.url ? [["url", secretPage.dataset.url], ...list] : list;
}

const asCamel = (id) => id.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const asCell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const urlLast = () => fields().sort((a, b) => (a[0] === "url") - (b[0] === "url"));

const formats = {
  env: () => fields().map(([id, value]) => `TOLLGATE_${id.toUpperCase().replaceAll("-", "_")}=${value}\n`).join(""),
  json: () => `${JSON.stringify(Object.fromEntries(urlLast().map(([id, value]) => [asCamel(id), value])), null, 2)}\n`,
  csv: () => `${urlLast().map(([id]) => asCamel(id))}\r\n${urlLast().map(([, value]) => asCell(value))}\r\n`,
};

function download(kind) {
  const named = secretPage.querySelector("#key-id, #service-plan-id");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([formats[kind]()], { type: "application/octet-stream" }));
  link.download = `tollgate-${named?.value ?? "credential"}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`Downloaded ${link.download}`);
}

if (secretPage) {
  // A browser may keep the page in memory and bring it back with the Back button; it must come back without the secret.
  addEventListener("pagehide", () => {
    for (const field of all("#key-secret, #api-token, [data-secret]", secretPage)) {
      field.textContent = "";
      field.removeAttribute("value");
      if ("value" in field) {
        field.value = "";
        field.placeholder = "no longer shown";
      }
    }
    for (const button of all("[data-copy-all], [data-download], [data-copy-from=key-secret], [data-copy-from=api-token]", secretPage)) {
      button.hidden = true;
    }
  });
}

// ---- Clicks -----------------------------------------------------------------------------------------------------------

addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.copy !== undefined) copyBy(button, button.dataset.copy);
  else if (button?.dataset.copyFrom) copyBy(button, document.getElementById(button.dataset.copyFrom)?.value ?? "");
  else if (button?.dataset.copyAll !== undefined && secretPage) copyBy(button, formats.env());
  else if (formats[button?.dataset.download] && secretPage) download(button.dataset.download);
  if (target.matches("input[readonly], textarea[readonly]")) target.select();
  closeMenus(target);
});

// ---- Menus ------------------------------------------------------------------------------------------------------------

function closeMenus(except) {
  for (const menu of all("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}

addEventListener("focusin", ({ target }) => closeMenus(target));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of all("details.menu[open]")) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
});

// ---- Forms ------------------------------------------------------------------------------------------------------------

const submits = (form) => [...form.elements].filter((one) => one.type === "submit");

for (const form of all("form[data-gate]")) {
  const box = form.querySelector("[data-gate-box]");
  const hint = form.querySelector("[data-gate-hint]");
  if (!box) continue;
  // The browser's own bubble would stand in the way of a message that stays.
  box.required = false;
  box.setAttribute("aria-required", "true");
  const update = () => {
    for (const button of submits(form)) button.setAttribute("aria-disabled", String(!box.checked));
    if (box.checked && hint) hint.textContent = "";
  };
  box.addEventListener("change", update);
  addEventListener("pageshow", update);
  update();
  form.addEventListener("submit", (event) => {
    if (box.checked) return;
    event.preventDefault();
    if (hint) hint.textContent = form.dataset.gate || `Tick “${box.labels[0]?.textContent.trim() ?? "the box"}” first.`;
    box.focus();
  });
}

function busy(form, on) {
  form.toggleAttribute("data-busy", on);
  for (const button of submits(form)) {
    // Not `disabled`: the browser leaves a disabled button's own name and value out of what it sends.
    button.setAttribute("aria-disabled", String(on || form.querySelector("[data-gate-box]")?.checked === false));
    button.setAttribute("aria-busy", String(on));
  }
}

for (const form of all("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (form.hasAttribute("data-busy")) { event.preventDefault(); return; }
    busy(form, true);
    // Whoever stopped the loading of the answer can try again; the server takes each form once anyway.
    setTimeout(() => busy(form, false), 30_000);
  });
}

addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of all("form[data-once][data-busy]")) busy(form, false);
});

document.getElementById("errors")?.focus();

// ---- First use of a key -----------------------------------------------------------------------------------------------

function watch(element) {
  const url = new URL(element.dataset.live, location.href);
  if (url.origin !== location.origin) return;
  const until = Date.now() + 30 * 60_000;
  let wait = 2000;
  let timer;
  let over = false;
  const plan = () => {
    clearTimeout(timer);
    if (!over && !document.hidden && Date.now() < until) timer = setTimeout(ask, wait);
  };
  const ask = async () => {
    try {
      const answer = await fetch(url, { cache: "no-store", redirect: "error", headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error();
      const { usedAt, ago } = await answer.json();
      wait = 2000;
      if (usedAt) {
        over = true;
        const place = element.querySelector("[data-live-text]") ?? element;
        place.textContent = `received ${ago}`;
        if (!element.closest("[role=status], [aria-live]")) say(element.textContent);
      }
    } catch {
      wait = Math.min(wait * 2, 60_000);
    }
    plan();
  };
  document.addEventListener("visibilitychange", plan);
  plan();
}

all("[data-live]").forEach(watch);

// ---- Times ------------------------------------------------------------------------------------------------------------

if (root.dataset.times === "local") {
  // Swedish writes dates as the rest of the dashboard does: 2026-08-01 17:34:58.
  const shapes = [{}, { timeStyle: "short" }, { timeStyle: "medium" }].map(
    (more) => new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", ...more }),
  );
  const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" });
  for (const element of all("time[datetime]")) {
    const at = new Date(element.dateTime);
    // A day without a time of day is the same day everywhere.
    if (!element.dateTime.includes("T") || Number.isNaN(at.getTime())) continue;
    const utc = element.textContent.trim();
    const clock = utc.match(/\d:\d\d(:\d\d)?/);
    const ago = "ago" in element.dataset || !/\d{4}/.test(utc);
    const local = shapes[ago || clock?.[1] ? 2 : clock ? 1 : 0].format(at);
    const name = zone.formatToParts(at).find(({ type }) => type === "timeZoneName").value;
    if (ago) {
      // "3 h ago" is true in every zone; the moment itself goes where the pointer finds it.
      element.title = `${local} ${name}`;
    } else {
      element.textContent = clock ? `${local} ${name}` : local;
      element.title = utc;
    }
  }
}
