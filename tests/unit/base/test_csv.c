#include "common/base/csv.h"

#include "tests/harness/tap.h"

#define CELLS 4

/* All records, cells between |, records between /; "!" where it fails. */
static void all_of(const char *text, struct ark_str *out, struct ark_pool *pool)
{
	static char shown[1024];
	struct ark_csv c;
	struct ark_err err = { 0 };
	struct ark_str cells[CELLS];
	size_t n, len = 0;
	enum ark_rc rc;
	ark_csv_begin(&c, ark_str_z(text));
	while ((rc = ark_csv_next(&c, pool, cells, CELLS, &n, &err)) == ARK_OK)
		for (size_t i = 0; i <= n; i++)
			len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%s%.*s", i == n ? "/" : i > 0 ? "|" : "",
			                        i < n ? (int)cells[i].len : 0, i < n ? cells[i].ptr : "");
	len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%s", rc == ARK_END ? "" : "!");
	*out = ark_str_n(shown, len);
}

static void what_people_and_spreadsheets_write(void)
{
	static const struct {
		const char *text, *want;
	} CASES[] = {
		{ "", "" },
		{ "a,b\n1,2\n", "a|b/1|2/" },
		{ "\xef\xbb\xbf" "a;b\r\n1;2", "a|b/1|2/" },
		{ "a\tb\r1\t2\r", "a|b/1|2/" },
		{ "\n\na,b\n\n\"x \"\"y\"\", z\",\"two\nlines\"\n", "a|b/x \"y\", z|two\nlines/" },
		{ ",\n,,,,,\n", "|/|||/" },
		{ "a,\"b\n", "!" },
		{ "a\n\"b\"c\n", "a/bc/" },
		{ "a,b;c\n", "a|b;c/" },
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		ark_auto(ark_pool_release) struct ark_pool pool = { 0 };
		struct ark_str out;
		all_of(CASES[i].text, &out, &pool);
		CHECK_STR(out, CASES[i].want);
	}
}

static void lines_are_counted_through_quotes(void)
{
	ark_auto(ark_pool_release) struct ark_pool pool = { 0 };
	struct ark_csv c;
	struct ark_err err = { 0 };
	struct ark_str cells[CELLS];
	size_t n;
	ark_csv_begin(&c, ARK_LIT("a,b\r\n\"1\n2\",3\r\n\r\nx,y\n"));
	static const uint64_t WANT[] = { 1, 2, 5 };
	for (size_t i = 0; i < 3; i++) {
		CHECK(ark_csv_next(&c, &pool, cells, CELLS, &n, &err) == ARK_OK);
		CHECK_I64(c.line, WANT[i]);
	}
}

static void guards_against_formulas_come_off(void)
{
	CHECK_STR(ark_csv_plain(ARK_LIT("'=1+1")), "=1+1");
	CHECK_STR(ark_csv_plain(ARK_LIT("'-dash")), "-dash");
	CHECK_STR(ark_csv_plain(ARK_LIT("'tis")), "'tis");
	CHECK_STR(ark_csv_plain(ARK_LIT("'")), "'");
}

int main(void)
{
	TAP_RUN(what_people_and_spreadsheets_write);
	TAP_RUN(lines_are_counted_through_quotes);
	TAP_RUN(guards_against_formulas_come_off);
	return tap_done();
}
