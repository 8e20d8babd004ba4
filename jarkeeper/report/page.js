// Draws the charts from the data islands, in the colours that the style sheet has in force.
(() => {
  "use strict";
  const root = document.documentElement;
  const plots = [...document.querySelectorAll(".chart")];
  const PRINT_WIDTH = 660; // of a sheet of A4 or Letter between its margins, in CSS pixels

  function resolved(value, style) {
    if (typeof value === "string") {
      return value.startsWith("var(--") ? style.getPropertyValue(value.slice(4, -1)).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => resolved(item, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v, style)]));
  }

  function layoutOf(own, width) {
    const small = width < 560;
    const axis = {
      gridcolor: "var(--line)", linecolor: "var(--line)", zerolinecolor: "var(--line)",
      fixedrange: small, automargin: true,
    };
    return {
      height: small ? 300 : 340,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: small ? 10 : 12, color: "var(--quiet)" },
      margin: { l: 8, r: 8, t: 12, b: 8 },
      bargap: 0.25,
      showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", traceorder: "normal", bgcolor: "rgba(0,0,0,0)" },
      hoverlabel: { bgcolor: "var(--card)", bordercolor: "var(--line)", font: { color: "var(--ink)" }, namelength: 40 },
      dragmode: small ? false : "zoom",
      ...own,
      width,
      xaxis: { ...axis, ...own.xaxis },
      yaxis: { ...axis, ...own.yaxis },
    };
  }

  function draw(plot) {
    const views = JSON.parse(document.getElementById(plot.dataset.chart).textContent);
    const chosen = document.querySelector(`input[name="${plot.dataset.chart}-view"]:checked`);
    const view = views[chosen ? Number(chosen.value) : 0];
    const style = getComputedStyle(root);
    const width = root.classList.contains("printing") ? PRINT_WIDTH : plot.clientWidth;
    if (width === 0) return;
    const layout = resolved(layoutOf(view.layout, width), style);
    const config = { displayModeBar: false, displaylogo: false, scrollZoom: false };
    Plotly.react(plot, resolved(view.data, style), layout, config);
  }

  function drawAll() {
    plots.forEach(draw);
  }

  function printing(on) {
    root.classList.toggle("printing", on);
    drawAll();
  }

  root.classList.add("drawn");
  drawAll();
  for (const input of document.querySelectorAll("fieldset input")) {
    input.addEventListener("change", () => draw(document.getElementById(input.dataset.plot)));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  matchMedia("print").addEventListener("change", (query) => printing(query.matches));
  window.addEventListener("beforeprint", () => printing(true));
  window.addEventListener("afterprint", () => printing(false));
  let frame = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(drawAll);
  });
})();
