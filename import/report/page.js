"use strict";
/* Comfort only: the page says everything without this. */
document.querySelectorAll("table.sortable").forEach(function (table) {
	var body = table.tBodies[0];
	var heads = Array.from(table.tHead.rows[0].cells);
	var rows = Array.from(body.rows);

	function value(row, at) {
		var cell = row.cells[at];
		var text = (cell.querySelector("summary") || cell).textContent.trim();
		return heads[at].classList.contains("n") ? Number(text.replaceAll(",", "")) || 0 : text.toLowerCase();
	}
	heads.forEach(function (head, at) {
		var button = document.createElement("button");
		button.type = "button";
		button.textContent = head.textContent;
		head.replaceChildren(button);
		button.addEventListener("click", function () {
			var now = head.getAttribute("aria-sort");
			var down = now ? now === "ascending" : head.classList.contains("n");
			heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
			head.setAttribute("aria-sort", down ? "descending" : "ascending");
			rows.sort(function (a, b) {
				var x = value(a, at), y = value(b, at);
				var order = typeof x === "number" ? x - y : x.localeCompare(y);
				return down ? -order : order;
			});
			rows.forEach(function (row) { body.append(row); });
		});
	});

	var tools = document.getElementById(table.id + "-tools");
	if (!tools || 13 > rows.length)
		return;
	var input = document.createElement("input");
	var shown = document.createElement("span");
	input.type = "search";
	input.placeholder = "Find a channel";
	input.setAttribute("aria-label", "Find a channel");
	input.addEventListener("input", function () {
		var want = input.value.trim().toLowerCase(), count = 0;
		rows.forEach(function (row) {
			row.hidden = !row.textContent.toLowerCase().includes(want);
			count += row.hidden ? 0 : 1;
		});
		shown.textContent = want ? count.toLocaleString("en") + " of " + rows.length.toLocaleString("en") : "";
	});
	tools.append(input, shown);
});
