// The page works without this script, which adds search, sorting and copied links, and unfolds what is printed or linked.
document.documentElement.classList.add("scripted");
const list = document.querySelector(".ledger"), rows = [...document.querySelectorAll(".claim")];
const search = document.getElementById("search"), sort = document.getElementById("sort"), shown = document.getElementById("shown");
const form = document.getElementById("filters");
const words = ["holds", "depends", "contradicted", "no-effect", "inconclusive", "not-yet-measured"];
const keys = {
  text: (row, place) => place,
  verdict: row => words.indexOf(row.dataset.verdict),
  claim: row => row.querySelector("h3").textContent,
  settings: row => -row.dataset.settings,
};
function update() {
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !wanted.every(word => text.includes(word));
  }
  shown.textContent = rows.filter(row => row.checkVisibility ? row.checkVisibility() : !row.hidden).length + " of " + rows.length + " claims";
}
function order() {
  const key = keys[sort.value];
  const sorted = rows.map((row, place) => [key(row, place), place, row]);
  sorted.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]);
  list.append(...sorted.map(entry => entry[2]));
}
function arrive() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (row && row.classList.contains("claim")) {
    if (getComputedStyle(row).display === "none") { form.reset(); update(); }
    row.querySelector("details").open = true;
    row.scrollIntoView();
  }
}
search.addEventListener("input", update);
form.addEventListener("change", update);
form.addEventListener("submit", event => event.preventDefault());
sort.addEventListener("change", order);
addEventListener("hashchange", arrive);
for (const row of rows) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "copy link";
  button.addEventListener("click", async () => {
    const link = location.href.split("#")[0] + "#" + row.id;
    try { await navigator.clipboard.writeText(link); button.textContent = "copied"; }
    catch { location.hash = row.id; button.textContent = "link is in the address bar"; }
    setTimeout(() => { button.textContent = "copy link"; }, 2000);
  });
  row.querySelector(".address").after(" ", button);
}
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const fold of opened) fold.open = true;
});
addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
update();
arrive();
