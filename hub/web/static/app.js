// Improves pages that work without it: pickers for links, parts that stay fresh, confirmation, menus that close.
"use strict";

const soon = (work, wait) => {
  let timer;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => work(...given), wait); };
};

// A field that names another record: what is typed is searched, what is chosen fills the hidden field.
const makePicker = (input) => {
  const list = input.list, target = input.nextElementSibling;
  const known = new Map();
  const search = soon(async () => {
    const answer = await fetch(`/choices/${input.dataset.picker}?q=${encodeURIComponent(input.value)}`);
    if (!answer.ok) return;
    const found = await answer.json();
    list.replaceChildren(...found.map(({ id, label }) => { known.set(label, id); const option = document.createElement("option"); option.value = label; return option; }));
    target.value = known.get(input.value) ?? (input.value ? target.value : "");
  }, 200);
  input.addEventListener("input", () => { target.value = known.get(input.value) ?? ""; search(); });
  input.addEventListener("focus", search, { once: true });
};

// <div data-fresh="10" data-part="today" data-stale="… {time}"> is fetched again every ten seconds while the page is seen.
// When no answer comes twice, the page says of when it is; when the session has ended, it leads to the sign-in.
const keepFresh = (part) => {
  const every = Number(part.dataset.fresh) * 1000;
  const stale = document.createElement("p");
  let fresh_at = new Date(), failed = 0;
  stale.className = "note bad"; stale.setAttribute("role", "status"); stale.hidden = true; part.before(stale);
  const tell = () => {
    stale.hidden = failed < 2;
    const time = fresh_at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    stale.textContent = stale.hidden ? "" : part.dataset.stale.replace("{time}", time);
  };
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { "X-Fieldmesh-Part": part.dataset.part } }).catch(() => null);
    if (answer?.status === 401) { location.reload(); return; }
    if (!answer?.ok) { failed += 1; tell(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (fresh && fresh.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes);
    fresh_at = new Date(); failed = 0; tell();
  }, every);
};

document.querySelectorAll("input[data-picker]").forEach(makePicker);
document.querySelectorAll("[data-fresh]").forEach(keepFresh);
document.querySelectorAll("[data-width]").forEach((bar) => { bar.style.width = `${bar.dataset.width}%`; });

document.addEventListener("submit", (event) => {
  const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (asked && !window.confirm(asked)) { event.preventDefault(); return; }
  if (event.target.method === "post") setTimeout(() => event.target.querySelectorAll("button").forEach((one) => { one.disabled = true; }), 0);
});
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((one) => { if (!one.contains(event.target)) one.open = false; });
  const all = event.target.closest("[data-check-all]");
  if (all) document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`).forEach((one) => { one.checked = all.checked; });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((one) => { one.open = false; one.querySelector("summary").focus(); });
  if (event.key === "/" && !/^(input|textarea|select)$/i.test(document.activeElement.tagName)) { const find = document.querySelector(".find input"); if (find) { event.preventDefault(); find.focus(); } }
});
const fold = document.querySelector(".fold");
if (fold) fold.open = matchMedia("(min-width: 60.01rem)").matches;
