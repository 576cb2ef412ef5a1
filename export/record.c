#include "export/record.h"

#include "common/base/map.h"

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
	static const char *const NAMES[] = { "post", "purged", "orphan" };
	return NAMES[what];
}

const struct export_person *export_person_find(const struct export_run *run, struct ark_str id)
{
	uint32_t at = ark_map_get(run->person_at, id);
	return at != ARK_MAP_NONE ? &run->people[at] : NULL;
}
