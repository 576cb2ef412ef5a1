"""Writes the C table of emoji names that emoji.c looks names up in.

usage: emoji_table.py emoji-names.txt emoji-unicode.txt OUT.inc

emoji-names.txt    names that Mattermost 11.6 knows, one a line
emoji-unicode.txt  names that Slack has and Mattermost has not: "name HEX-HEX-..."

The table is open addressing over FNV-1a (32 bits), so that a look-up costs about one comparison.
"""
import sys


def fnv1a(text):
    h = 2166136261
    for b in text.encode("ascii"):
        h = ((h ^ b) * 16777619) & 0xFFFFFFFF
    return h


def literal(text):
    return '"' + "".join("\\x%02x\" \"" % b for b in text.encode("utf-8")).rstrip(' "') + '"'


def main():
    names = open(sys.argv[1], encoding="ascii").read().split()
    pairs = [line.split() for line in open(sys.argv[2], encoding="ascii") if line.strip()]
    size = 1
    while size < 3 * (len(names) + len(pairs)):
        size *= 2
    slots = [None] * size
    for name, unicode_text in [(n, None) for n in names] + [
        (n, "".join(chr(int(h, 16)) for h in u.split("-"))) for n, u in pairs
    ]:
        at = fnv1a(name) & (size - 1)
        while slots[at] is not None:
            if slots[at][0] == name:
                sys.exit("emoji_table.py: '%s' stands there twice" % name)
            at = (at + 1) & (size - 1)
        slots[at] = (name, unicode_text)
    with open(sys.argv[3], "w", encoding="ascii") as out:
        out.write("/* Written by emoji_table.py; do not edit. */\n")
        out.write("#define EMOJI_SLOTS %du\n" % size)
        out.write("static const struct emoji_slot EMOJI[EMOJI_SLOTS] = {\n")
        for at, slot in enumerate(slots):
            if slot is None:
                continue
            name, text = slot
            out.write('\t[%d] = { "%s", %s, %d },\n'
                      % (at, name, "NULL" if text is None else literal(text), len(name)))
        out.write("};\n")


main()
