/* Any bytes as a data source name: refused without quoting it, or what is written out reads back the same. */
#include "common/base/limits.h"
#include "common/db/dsn.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

#define SECRET "hunter2hunter2"

static void written(const struct db_dsn *dsn, struct ark_buf *out)
{
	ark_buf_init(out, 1u << 20);
	db_dsn_text(dsn, out);
	FUZZ_CLAIM(!out->failed);
}

static void read_back(const struct db_dsn *dsn)
{
	struct ark_err err = { 0 };
	ark_auto(ark_buf_release) struct ark_buf once = { 0 };
	ark_auto(ark_buf_release) struct ark_buf twice = { 0 };
	written(dsn, &once);
	if (once.len > LIMIT_DSN)
		return; /* quoting made it longer than what is read */
	struct db_dsn *again = NULL;
	FUZZ_CLAIM(db_dsn_parse(ark_buf_view(&once), DB_DSN_LIBPQ, &again, &err) == ARK_OK);
	written(again, &twice);
	FUZZ_CLAIM(ark_str_eq(ark_buf_view(&once), ark_buf_view(&twice)));
	db_dsn_free(again);
}

static bool shows_secret(const struct db_dsn *dsn)
{
	ark_auto(ark_buf_release) struct ark_buf shown = { 0 };
	ark_buf_init(&shown, 1u << 20);
	db_dsn_masked(dsn, &shown);
	return ark_str_search(ark_buf_view(&shown), ARK_LIT(SECRET), 0) != SIZE_MAX;
}

static void masked(struct db_dsn *dsn)
{
	/* the fuzzer reads our constants and puts them into its inputs */
	if (shows_secret(dsn))
		return;
	db_dsn_set(dsn, "password", ARK_LIT(SECRET));
	FUZZ_CLAIM(!shows_secret(dsn));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = DB_DSN_LIBPQ; kind <= DB_DSN_MATTERMOST; kind++) {
		struct ark_err err = { 0 };
		struct db_dsn *dsn = NULL;
		struct ark_str text = ark_str_n((const char *)data, size);
		if (db_dsn_parse(text, (enum db_dsn_kind)kind, &dsn, &err) == ARK_OK) {
			read_back(dsn);
			masked(dsn);
			db_dsn_free(dsn);
		} else {
			FUZZ_CLAIM(dsn == NULL && err.kind == ARK_KIND_USAGE);
		}
	}
	return 0;
}
