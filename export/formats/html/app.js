"use strict";
/* Search without a server: the index is a set of small scripts, of which a search loads a few. */
var ARK = (function () {
	var shown = 50; /* results at a time */
	var state = document.getElementById("state");
	var list = document.getElementById("results");
	var more = document.getElementById("more");
	var info = null, words = {}, docs = {}, waiting = {};
	var turn = 0; /* the newest search; answers for an older one are dropped */

	function load(path) {
		if (!waiting[path]) {
			waiting[path] = new Promise(function (done, fail) {
				var script = document.createElement("script");
				script.src = "search/" + path;
				script.onload = done;
				script.onerror = function () {
					delete waiting[path];
					fail(new Error("cannot read search/" + path));
				};
				document.head.append(script);
			});
		}
		return waiting[path];
	}

	/* As words.c: runs of letters and digits; pairs of characters where a script has no blanks. */
	var DENSE = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]+/gu;
	function split(text) {
		var found = [];
		text = text.toLowerCase().replace(DENSE, function (run) {
			var chars = Array.from(run);
			if (chars.length === 1)
				found.push({ text: run, start: true });
			for (var i = 0; i + 1 < chars.length; i++)
				found.push({ text: chars[i] + chars[i + 1], start: false });
			return " ";
		});
		(text.match(/[\p{L}0-9]+/gu) || []).forEach(function (word) {
			found.push({ text: cut(word), start: true });
		});
		return found;
	}

	/* Words are kept to 48 bytes, between characters. */
	function cut(word) {
		var out = "", bytes = 0, coder = new TextEncoder();
		for (var c of word) {
			if (bytes + 4 > 48)
				break;
			out += c;
			bytes += coder.encode(c).length;
		}
		return out;
	}

	function parse(query) {
		var wanted = [];
		query = query.replace(/(^|\s)(from|in):@?(\S+)/gi, function (all, blank, kind, name) {
			wanted.push({ text: (kind.toLowerCase() === "from" ? "@" : "#") + name.toLowerCase(), start: false });
			return " ";
		});
		return wanted.concat(split(query));
	}

	function bucket(word) {
		var first = Array.from(word).slice(0, 2).join(""), h = 2166136261;
		new TextEncoder().encode(first).forEach(function (b) {
			h = Math.imul(h ^ b, 16777619);
		});
		return ((h ^ (h >>> 16)) >>> 0) % info.buckets;
	}

	function numbers(text) {
		var at = 0;
		return text.split(",").map(function (step, i) {
			at = i === 0 ? parseInt(step, 36) : at + parseInt(step, 36);
			return at;
		});
	}

	/* Messages that hold the word, or one that begins with it; null: nearly all do. */
	function postings(want) {
		var table = words[bucket(want.text)], exact = table[want.text];
		if (exact === 0)
			return null;
		var found = exact ? numbers(exact) : [];
		if (!want.start || Array.from(want.text).length < 2)
			return found;
		var all = new Set(found);
		Object.keys(table).forEach(function (word) {
			if (word !== want.text && word.startsWith(want.text) && table[word] !== 0)
				numbers(table[word]).forEach(function (n) { all.add(n); });
		});
		return Array.from(all).sort(function (a, b) { return a - b; });
	}

	function both(a, b) {
		var set = new Set(a);
		return b.filter(function (n) { return set.has(n); });
	}

	function say(text) {
		state.textContent = text;
	}

	/* Controls of the writing direction do nothing here. */
	function tame(text) {
		return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
	}

	function marked(text, wanted) {
		var out = document.createDocumentFragment();
		var plain = wanted.filter(function (w) { return !/^[@#]/.test(w.text); })
			.map(function (w) { return w.text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"); });
		if (plain.length === 0) {
			out.append(text);
			return out;
		}
		text.split(new RegExp("(" + plain.join("|") + ")", "giu")).forEach(function (part, i) {
			if (i % 2 === 0) {
				out.append(part);
				return;
			}
			var mark = document.createElement("mark");
			mark.textContent = part;
			out.append(mark);
		});
		return out;
	}

	function item(n, wanted) {
		var block = docs[Math.floor(n / info.block)], doc = block.docs[n % info.block];
		var li = document.createElement("li"), where = document.createElement("p");
		var text = document.createElement("p"), link = document.createElement("a");
		link.href = block.pages[doc[0]] + "#p-" + doc[1];
		link.textContent = new Date(doc[2]).toISOString().slice(0, 16).replace("T", " ");
		where.className = "where";
		where.append(tame(doc[3]) + " in " + tame(doc[4]) + ", ", link);
		text.append(marked(tame(doc[5]), wanted));
		li.append(where, text);
		return li;
	}

	function show(mine, found, from, wanted) {
		var part = found.slice(from, from + shown), blocks = new Set();
		part.forEach(function (n) { blocks.add(Math.floor(n / info.block)); });
		return Promise.all(Array.from(blocks).map(function (b) { return load("d/" + b + ".js"); })).then(function () {
			if (mine !== turn)
				return;
			part.forEach(function (n) { list.append(item(n, wanted)); });
			more.hidden = from + shown >= found.length;
			more.onclick = function () { show(mine, found, from + shown, wanted).catch(function (e) { say(e.message); }); };
		});
	}

	function search(query) {
		var mine = ++turn, wanted = parse(query);
		list.replaceChildren();
		more.hidden = true;
		if (wanted.length === 0) {
			say(query.trim() === "" ? "" : "Nothing to search for in this.");
			return;
		}
		say("Searching");
		load("meta.js").then(function () {
			return Promise.all(wanted.map(function (w) { return load("t/" + bucket(w.text) + ".js"); }));
		}).then(function () {
			var found = null, common = [];
			wanted.forEach(function (w) {
				var some = postings(w);
				if (some === null)
					common.push(w.text);
				else
					found = found === null ? some : both(found, some);
			});
			if (mine !== turn)
				return;
			var aside = common.length > 0 ? " Too common to search for: " + common.join(", ") + "." : "";
			if (found === null || found.length === 0) {
				say("Nothing found." + aside);
				return;
			}
			say(found.length.toLocaleString("en") + (found.length === 1 ? " message." : " messages, newest first.") + aside);
			return newest(found).then(function (sorted) { return show(mine, sorted, 0, wanted); });
		}).catch(function (e) { say(e.message); });
	}

	/* Numbers go by channel; for the order in time the messages themselves are needed, if they are few. */
	function newest(found) {
		var blocks = new Set(found.map(function (n) { return Math.floor(n / info.block); }));
		if (blocks.size > 60)
			return Promise.resolve(found.slice().reverse());
		return Promise.all(Array.from(blocks).map(function (b) { return load("d/" + b + ".js"); })).then(function () {
			function time(n) { return docs[Math.floor(n / info.block)].docs[n % info.block][2]; }
			return found.slice().sort(function (a, b) { return time(b) - time(a); });
		});
	}

	function start() {
		var form = document.getElementById("search");
		if (!form)
			return;
		var input = form.elements.q, query = new URLSearchParams(location.search).get("q") || "";
		input.value = query;
		form.addEventListener("submit", function (event) {
			event.preventDefault();
			history.replaceState(null, "", "?" + new URLSearchParams({ q: input.value }));
			search(input.value);
		});
		search(query);
	}

	document.addEventListener("DOMContentLoaded", start);
	return {
		meta: function (m) { info = m; },
		words: function (n, table) { words[n] = table; },
		docs: function (n, pages, rows) { docs[n] = { pages: pages, docs: rows }; }
	};
})();
