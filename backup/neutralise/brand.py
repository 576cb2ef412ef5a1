#!/usr/bin/env python3
"""The image for the sign-in page of a test installation, as C bytes. usage: brand.py OUTPUT"""
import struct
import sys
import zlib

LETTERS = {
	"T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..", "E": "##### #.... #.... ####. #.... #.... #####",
	"S": ".#### #.... #.... .###. ....# ....# ####.", "C": ".#### #.... #.... #.... #.... #.... .####",
	"O": ".###. #...# #...# #...# #...# #...# .###.", "P": "####. #...# #...# ####. #.... #.... #....",
	"Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..", " ": "..... " * 7,
}
TEXT = "TEST COPY"
SCALE, EDGE, BORDER = 8, 24, 8
RED, YELLOW = 0, 1


def picture():
	rows = [[RED] * (len(TEXT) * 6 - 1) for _ in range(7)]
	for n, letter in enumerate(TEXT):
		for y, line in enumerate(LETTERS[letter].split()):
			for x, dot in enumerate(line):
				rows[y][n * 6 + x] = YELLOW if dot == "#" else RED
	width, height = len(rows[0]) * SCALE + 2 * EDGE, 7 * SCALE + 2 * EDGE
	image = []
	for y in range(height):
		line = []
		for x in range(width):
			inside = EDGE <= x < width - EDGE and EDGE <= y < height - EDGE
			frame = min(x, y, width - 1 - x, height - 1 - y) < BORDER
			line.append(YELLOW if frame else rows[(y - EDGE) // SCALE][(x - EDGE) // SCALE] if inside else RED)
		image.append(bytes([0]) + bytes(line))
	return width, height, b"".join(image)


def chunk(kind, data):
	return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
	width, height, image = picture()
	png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) + \
		chunk(b"PLTE", bytes((0xd0, 0, 0, 0xff, 0xff, 0))) + chunk(b"IDAT", zlib.compress(image, 9)) + chunk(b"IEND", b"")
	with open(sys.argv[1], "w", encoding="utf-8") as out:
		out.write('#include "backup/repo/inside_text.h"\n\n#include "common/base/banned.h"\n\n')
		out.write("const unsigned char INSIDE_BRAND_PNG[] = {\n")
		for at in range(0, len(png), 20):
			out.write("\t" + ", ".join("0x%02x" % b for b in png[at:at + 20]) + ",\n")
		out.write("};\nconst unsigned INSIDE_BRAND_PNG_BYTES = sizeof(INSIDE_BRAND_PNG);\n")


if __name__ == "__main__":
	main()
