#include "common/base/time.h"
#include "tests/harness/tap.h"

static void dates_there_and_back(void)
{
	for (int64_t ms = -86400000LL * 400; ms < 86400000LL * 366 * 200; ms += 86400000LL * 13 + 12345) {
		struct ark_civil c = ark_time_civil(ms);
		if (ark_time_from_civil(&c) != ms) {
			CHECK_I64(ark_time_from_civil(&c), ms);
			return;
		}
	}
	char iso[ARK_TIME_ISO];
	ark_time_iso(1709164799123, iso);
	CHECK_STR(ark_str_z(iso), "2024-02-28T23:59:59.123Z");
}

static void times_as_people_write_them(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} GOOD[] = {
		{ "2024-02-29", 1709164800000 },
		{ "2024-02-29T01:00+01:00", 1709164800000 },
		{ "2024-02-29 00:00:00.5Z", 1709164800500 },
		{ "36h", 1000000000000 - 36 * 3600000LL },
		{ "2w", 1000000000000 - 14 * 86400000LL },
	};
	struct ark_err err = { 0 };
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		int64_t ms = 0;
		CHECK(ark_time_parse(ark_str_z(GOOD[i].text), 1000000000000, &ms, &err) == ARK_OK);
		CHECK_I64(ms, GOOD[i].ms);
	}
	static const char *const BAD[] = { "", "2024", "2023-02-29", "2024-01-01T25:00", "12x", "-3d",
		                           "2024-01-01T10:00+9" };
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		int64_t ms = 0;
		CHECK(ark_time_parse(ark_str_z(BAD[i]), 0, &ms, &err) == ARK_FAIL);
		CHECK(err.kind == ARK_KIND_USAGE);
	}
}

int main(void)
{
	TAP_RUN(dates_there_and_back);
	TAP_RUN(times_as_people_write_them);
	return tap_done();
}
