#include "export/series.h"

#include <stdio.h>
#include <string.h>

#include "common/base/limits.h"
#include "export/bag.h"

#include "common/base/banned.h"

void export_run_name(unsigned number, char out[EXPORT_RUN_NAME])
{
	snprintf(out, EXPORT_RUN_NAME, "run-%06u", number);
}

/* The number of "run-000012"; 0 for any other name. */
static unsigned run_number(struct ark_str name)
{
	uint64_t n = 0;
	char again[EXPORT_RUN_NAME];
	if (!ark_str_starts(name, ARK_LIT("run-")) || !ark_str_u64(ark_str_from(name, 4), &n) || n > 999999)
		return 0;
	export_run_name((unsigned)n, again);
	return ark_str_eqz(name, again) ? (unsigned)n : 0;
}

enum ark_rc export_series_look(const struct export_folder *f, struct export_series *out, struct ark_err *err)
{
	struct export_series s = { 0 };
	ark_auto(ark_map_release) struct ark_map names = { 0 };
	s.alone = export_folder_has(f, "bagit.txt") || export_folder_has(f, EXPORT_TAGMANIFEST) ||
	          export_folder_has(f, "run.json");
	enum ark_rc rc = export_folder_top(f, &names, err);
	for (uint32_t i = 0; i < names.count && rc == ARK_OK && !s.alone; i++) {
		struct ark_str name = ark_map_key(&names, i);
		unsigned n = run_number(name);
		if (n == 0 && name.ptr[0] != '.')
			return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is no export: '%.*s' lies there",
			                   export_folder_name(f), ARK_FMT(name));
		if (n > 0 && s.last > 0 && n != s.last + 1)
			return ark_err_set(err, ARK_KIND_INPUT, "runs are missing in '%s' before '%.*s'",
			                   export_folder_name(f), ARK_FMT(name));
		s.first = n > 0 && s.first == 0 ? n : s.first;
		s.last = n > 0 ? n : s.last;
	}
	*out = s;
	return rc;
}

enum ark_rc export_tagmanifest_sha256(const struct export_folder *run, char hex[CRYPT_SHA256_HEX],
                                      struct ark_err *err)
{
	ark_auto(export_stream_closep) struct export_stream *s = NULL;
	unsigned char digest[CRYPT_SHA256_BYTES];
	struct ark_str piece;
	enum ark_rc rc = export_stream_open(run, EXPORT_TAGMANIFEST, false, &s, err);
	while (rc == ARK_OK)
		rc = export_stream_next(s, &piece, err);
	if (rc < 0)
		return rc;
	export_stream_sha256(s, digest);
	crypt_hex(digest, sizeof(digest), hex);
	return ARK_OK;
}

enum ark_rc export_bag_info_value(const struct export_folder *run, const char *key, struct ark_buf *out,
                                  struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	enum ark_rc rc = export_folder_small(run, "bag-info.txt", &text, err);
	for (struct ark_str rest = ark_buf_view(&text); rc == ARK_OK && rest.len > 0;) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_first(rest, end), name = ark_str_z(key);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		if (ark_str_starts(line, name) && line.len > name.len && line.ptr[name.len] == ':')
			ark_buf_str(out, ark_str_trim(ark_str_from(line, name.len + 1)));
	}
	return rc;
}
