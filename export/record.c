#include "export/record.h"

#include "common/base/banned.h"

const char *export_channel_kind_name(enum export_channel_kind kind)
{
	static const char *const NAMES[] = { "public", "private", "direct", "group", "unknown" };
	return NAMES[kind];
}

const char *export_bytes_name(enum export_bytes bytes)
{
	static const char *const NAMES[] = { "none", "referenced", "copied", "missing" };
	return NAMES[bytes];
}

const char *export_what_name(enum export_what what)
{
	static const char *const NAMES[] = { "post", "purged", "left", "orphan" };
	return NAMES[what];
}

const struct export_person *export_person_find(const struct export_run *run, struct ark_str id)
{
	size_t low = 0, high = run->people_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = ark_str_cmp(run->people[mid].id, id);
		if (order == 0)
			return &run->people[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
