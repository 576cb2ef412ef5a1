#include "backup/rows/segment.h"

#include "common/base/banned.h"

/* FNV-1a, with its bits mixed at the end: cheap, and the same for ever. Fact docs/format-backup.md "Rows" */
static uint64_t hash(uint64_t h, struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
	return h;
}

bool segment_ends(const struct segment_key *key, struct ark_str line)
{
	uint64_t h = 0xcbf29ce484222325u;
	if (line.len > 0 && line.ptr[line.len - 1] == '\n')
		line.len--;
	if (key->count == 0)
		h = hash(h, line);
	size_t field = 0, wanted = 0;
	while (wanted < key->count) {
		size_t end = ark_str_find(line, '\t', 0);
		struct ark_str value = ark_str_first(line, end);
		if (field == key->fields[wanted]) {
			h = hash(h, value);
			h = hash(h, ARK_LIT("\t"));
			wanted++;
		}
		if (end == SIZE_MAX)
			break;
		line = ark_str_from(line, end + 1);
		field++;
	}
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return (h >> 40) % SEGMENT_ROWS == 0;
}
