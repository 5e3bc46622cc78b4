"use strict";
// Sort the table by the column whose heading is pressed; groups stay together. Press again to turn it round.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const was = heading.getAttribute("aria-sort");
      const up = was ? was === "descending" : heading.dataset.first === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => row.cells[column].dataset.value ?? "";
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
        rows.sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          if (x === "" || y === "") return (x === "") - (y === ""); // what is not known comes last, both ways
          const order = column === 0 ? x.localeCompare(y) : x - y;
          return up ? order : -order;
        });
        body.append(...rows);
      }
    });
  });
}
