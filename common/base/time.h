/*
 * Times. Everywhere in the suite: Unix milliseconds, UTC, int64 (`_ms`). Reading and writing of
 * civil dates without the C library's time zones.
 */
#ifndef ARK_BASE_TIME_H
#define ARK_BASE_TIME_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct ark_civil {
	int year;  /* 1970..9999 */
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour, minute, second, ms;
};

int64_t ark_time_now_ms(void);
/* A clock for durations, in milliseconds; never goes back. */
int64_t ark_time_tick_ms(void);
struct ark_civil ark_time_civil(int64_t unix_ms);
int64_t ark_time_from_civil(const struct ark_civil *c);
/* "2026-11-22T21:30:19.123Z" (25 bytes with the NUL) */
#define ARK_TIME_ISO 32
void ark_time_iso(int64_t unix_ms, char out[ARK_TIME_ISO]);

/*
 * A time as people give it on the command line: `2024-05-01`, `2024-05-01T12:00[:30[.5]][Z|+02:00]`
 * (a blank may stand for the T; UTC unless an offset is given), or an age `36h`, `30d`, `2w`, `90m`
 * before `now_ms`. FAIL with kind USAGE otherwise.
 */
enum ark_rc ark_time_parse(struct ark_str s, int64_t now_ms, int64_t *out_ms, struct ark_err *err);

#endif
