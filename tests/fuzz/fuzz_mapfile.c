/* --users and --team-map: no byte string does harm, and what is taken is found again. */
#include "import/load/mapfile.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_err err = { 0 };
	ark_auto(mapfile_release) struct mapfile m = { 0 };
	enum ark_rc rc = mapfile_parse(ark_str_n((const char *)data, size), "map.csv", "slack_id",
	                               "mattermost_username", &m, &err);
	FUZZ_CLAIM(rc == ARK_OK || (rc == ARK_FAIL && err.text[0] != '\0' && m.count == 0));
	for (uint32_t i = 0; i < m.count; i++) {
		FUZZ_CLAIM(m.rows[i].key.len > 0 && m.rows[i].value.len > 0);
		FUZZ_CLAIM(mapfile_find(&m, m.rows[i].key) == &m.rows[i]);
		FUZZ_CLAIM(i == 0 || m.rows[i].line > m.rows[i - 1].line);
	}
	return 0;
}
