"""Writes a table of emoji names in C that emoji.c looks names up in.

usage: emoji_table.py LIST NAME OUT.inc

LIST   lines "name HEX-HEX-..." or "name -": a name and the characters it stands for
NAME   of the array; NAME_SLOTS is its size

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
    path, array, out_path = sys.argv[1:]
    pairs = [line.split() for line in open(path, encoding="ascii") if line.strip()]
    size = 1
    while size < 3 * len(pairs):
        size *= 2
    slots = [None] * size
    for name, code in pairs:
        at = fnv1a(name) & (size - 1)
        while slots[at] is not None:
            if slots[at][0] == name:
                sys.exit("emoji_table.py: '%s' stands there twice" % name)
            at = (at + 1) & (size - 1)
        slots[at] = (name, '""' if code == "-" else literal("".join(chr(int(h, 16)) for h in code.split("-"))))
    with open(out_path, "w", encoding="ascii") as out:
        out.write("/* Written by emoji_table.py; do not edit. */\n")
        out.write("#define %s_SLOTS %du\n" % (array, size))
        out.write("static const struct mm_emoji_slot %s[%s_SLOTS] = {\n" % (array, array))
        for at, slot in enumerate(slots):
            if slot is not None:
                out.write('\t[%d] = { "%s", %s, %d },\n' % (at, slot[0], slot[1], len(slot[0])))
        out.write("};\n")


main()
