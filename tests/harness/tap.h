/*
 * TAP output for unit tests: one function per claim, TAP_RUN for each, tap_done() at the end of main.
 * A failed CHECK prints the place and what was seen and goes on, so one run shows everything.
 */
#ifndef ARK_TESTS_TAP_H
#define ARK_TESTS_TAP_H

#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

static int tap_count, tap_failed, tap_bad;

#define CHECK(cond)                                                                        \
	do {                                                                               \
		if (!(cond)) {                                                             \
			tap_bad = 1;                                                       \
			printf("# %s:%d: not true: %s\n", __FILE__, __LINE__, #cond);      \
		}                                                                          \
	} while (0)

#define CHECK_I64(have, want)                                                              \
	do {                                                                               \
		long long h_ = (long long)(have), w_ = (long long)(want);                  \
		if (h_ != w_) {                                                            \
			tap_bad = 1;                                                       \
			printf("# %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__,      \
			       #have, h_, w_);                                             \
		}                                                                          \
	} while (0)

#define CHECK_STR(have, want)                                                              \
	do {                                                                               \
		struct ark_str h_ = (have), w_ = ark_str_z(want);                          \
		if (!ark_str_eq(h_, w_)) {                                                 \
			tap_bad = 1;                                                       \
			printf("# %s:%d: have '%.*s'\n#   want '%.*s'\n", __FILE__,        \
			       __LINE__, ARK_FMT(h_), ARK_FMT(w_));                        \
		}                                                                          \
	} while (0)

#define TAP_RUN(fn)                                                                        \
	do {                                                                               \
		tap_bad = 0;                                                               \
		fn();                                                                      \
		tap_failed += tap_bad;                                                     \
		printf("%sok %d - %s\n", tap_bad ? "not " : "", ++tap_count, #fn);         \
		fflush(stdout);                                                            \
	} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed > 0;
}

#endif
