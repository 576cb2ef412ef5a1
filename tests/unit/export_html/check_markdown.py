#!/usr/bin/env python3
"""
Markdown as the HTML archive writes it against what the web client was seen to show: every text of
fixtures/markdown-rendered.tsv gives the same, or stands with ours and the reason in
fixtures/markdown-html-differences.tsv; a line there that is no difference any more fails too.

usage: check_markdown.py MARKDOWN_LINES SOURCE_ROOT [--list]     --list prints the differences
"""
import html
import re
import subprocess
import sys

BLOCKS = r"(?:</?(?:p|blockquote|ul|ol|li|pre|table|tr|th|td|h[1-6]|hr)(?: [^>]*)?>)"


def unescape(text):
	return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text)


def decode(text):
	"""As the oracle writes text: only & < > as entities."""
	return text.replace("&#39;", "'").replace("&quot;", '"')


def notation(ours):
	"""Our HTML in the oracle's notation."""
	t = ours.replace("<br>\n", "\n")
	t = re.sub(r'<span class="(mention|hashtag)">(.*?)</span>', r"{\1:\2}", t)
	t = re.sub(r'<(a|span) class="channel"[^>]*>(.*?)</\1>', r"{channel:\2}", t)
	t = re.sub(r'<span class="emoji" title=":(.*?):">.*?</span>', r"{emoji:\1}", t)
	t = re.sub(r'(?:<a [^>]*>)?<span class="image">.*?</span>(?:</a>)?', "<img>", t)
	t = re.sub(r'<a href="([^"]*)" rel="noreferrer">', lambda m: "<a %s>" % html.unescape(m.group(1)), t)
	t = re.sub(r'<ol start="(\d+)">', r"<ol \1>", t)
	t = re.sub(r"<pre[^>]*><code>(.*?)</code></pre>", r"<pre>\1</pre>", t, flags=re.S)
	t = re.sub(r"</?div[^>]*>", "", t)
	t = re.sub(r'<li class="task">[^ ]+ ', "<li>{checkbox} ", t)
	return decode(t.replace("<hr>", "<hr></hr>"))


def plain(text):
	"""Without what is no difference to a reader: paragraphs that stand alone, line ends at blocks."""
	text = re.sub(r"<pre [^>]*>", "<pre>", text)
	text = re.sub(r"</?p>", "\n", text)
	text = re.sub(r"\s*(" + BLOCKS + r")\s*", r"\1", text)
	return re.sub(r" *\n\s*", "\n", text).strip()


def rows(path):
	for line in open(path, encoding="utf-8").read().split("\n")[1:]:
		if line:
			yield line.split("\t")


def main():
	program, root = sys.argv[1:3]
	oracle = list(rows(root + "/fixtures/markdown-rendered.tsv"))
	allowed = {row[0]: row for row in rows(root + "/fixtures/markdown-html-differences.tsv")}
	texts = "".join(row[0] + "\n" for row in oracle)
	run = subprocess.run([program], input=texts.encode(), stdout=subprocess.PIPE, check=True)
	ours = run.stdout.decode().split("\n")[:-1]
	bad = []
	differences = []
	for (text, want), have in zip(oracle, ours):
		have = plain(notation(unescape(have)))
		same = have == plain(unescape(want))
		shown = have.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
		if not same:
			differences.append((text, shown))
		row = allowed.pop(text, None)
		if same and row is not None:
			bad.append("no difference any more: %s" % text)
		elif not same and row is None:
			bad.append("%s\n#   client: %s\n#   ours:   %s" % (text, want, shown))
		elif not same and row[1] != shown:
			bad.append("%s\n#   listed: %s\n#   ours:   %s" % (text, row[1], shown))
	bad += ["not in the oracle: %s" % text for text in allowed]
	if len(oracle) != len(ours):
		bad.append("%d texts gave %d results" % (len(oracle), len(ours)))
	if "--list" in sys.argv:
		for row in differences:
			print("\t".join(row))
		return
	for line in bad:
		print("# " + line)
	print("%s 1 - markdown_looks_as_in_the_web_client" % ("not ok" if bad else "ok"))
	ok = len(oracle) > 400 and len(differences) < len(oracle) / 6
	print("%s 2 - most_texts_are_the_same # %d of %d" %
	      ("ok" if ok else "not ok", len(oracle) - len(differences), len(oracle)))
	print("1..2")
	sys.exit(1 if bad or not ok else 0)


main()
