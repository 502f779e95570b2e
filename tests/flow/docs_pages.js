// Runs the script of static_index.html in a page that is only as much of a DOM as it needs, opens every node, and prints what it saw as JSON.
"use strict";
const fs = require("fs");
const vm = require("vm");
const text = fs.readFileSync(process.argv[2], "utf8");
const elements = new Map();
function element(id) {
  const e = { id, innerHTML: "", textContent: "", dataset: {}, style: {}, children: [], clientWidth: 900, clientHeight: 340, tagName: "DIV", scrollTop: 0,
    classList: { add() {}, remove() {}, toggle() {}, contains: () => false }, addEventListener() {}, setAttribute() {}, appendChild() {}, remove() {},
    querySelectorAll: () => [], querySelector: () => element("svg"), closest: () => null, getBoundingClientRect: () => ({ left: 0, top: 0, width: 900, height: 340 }) };
  return e;
}
function get(id) {
  if (id === "full" || (id === "graph" && !/id="graph"/.test(get("main").innerHTML))) return null;
  if (/\.json$/.test(id) && !elements.has(id)) {
    const m = new RegExp('<script type="application/json" id="' + id + '">([\\s\\S]*?)</script>').exec(text);
    if (!m) return null;
    const e = element(id);
    e.textContent = m[1];
    elements.set(id, e);
  }
  if (!elements.has(id)) elements.set(id, element(id));
  return elements.get(id);
}
const script = /<script>\n([\s\S]*?)<\/script>\s*<\/body>/.exec(text)[1];
const location = { hash: "" };
const context = { document: { getElementById: get, createElement: () => element("new"), addEventListener() {}, body: element("body"), documentElement: element("html"), title: "" },
  window: { addEventListener() {}, matchMedia: null }, location, navigator: {}, console, setTimeout, encodeURIComponent, decodeURIComponent, fetch: () => { throw new Error("no network"); } };
vm.createContext(context);
vm.runInContext(script + "\n;globalThis.site = { state, search, route, markdown, layout, projectIds, around, find };", context);
setTimeout(() => {
  const { state, search, route, markdown, layout, projectIds } = context.site;
  const pages = {};
  for (const n of [...state.nodes.values(), ...state.macros.values()]) {
    location.hash = "#!/" + n.resource_type + "/" + encodeURIComponent(n.unique_id);
    route();
    pages[n.unique_id] = get("main").innerHTML;
  }
  location.hash = "";
  route();
  const overlaps = [];
  const at = [...layout(projectIds())];
  for (let i = 0; i < at.length; i++) for (let k = i + 1; k < at.length; k++) if (at[i][1].x === at[k][1].x && Math.abs(at[i][1].y - at[k][1].y) < 30) overlaps.push([at[i][0], at[k][0]]);
  const backward = at.flatMap(([id, p]) => state.down.get(id).filter((c) => new Map(at).has(c) && new Map(at).get(c).x <= p.x).map((c) => [id, c]));
  const words = process.argv.slice(3);
  console.log(JSON.stringify({ title: context.document.title, overview: get("main").innerHTML, nav: get("nav").innerHTML, pages, overlaps, backward,
    found: Object.fromEntries(words.map((w) => [w, search(w).map((h) => h.n.unique_id)])), markdown: markdown("# T\n\n*a* **b** `c<d`\n\n- x\n- y\n\n[z](javascript:alert) [k](https://k.example)\n\n|a|b|\n|-|-|\n|1|2|\n") }));
}, 50);
