// The picture takes the colours of the page, in the dark and on paper too.
(() => {
  const chart = document.getElementById("chart");
  const style = (name) => getComputedStyle(document.body)[name];
  const paint = () => Plotly.relayout(chart, { "font.color": style("color"), "font.family": style("fontFamily") });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", paint);
  paint();
})();
