/*
 * Slack's `ts`: text "seconds.fraction", the only id a message has.
 * Fact  docs/slack-quirks.md "Timestamps"; fixtures/slack/ts-shapes
 */
#ifndef IMPORT_SLACK_TS_H
#define IMPORT_SLACK_TS_H

#include <stdint.h>

#include "common/base/str.h"
#include "common/json/value.h"

/* "0.000000" .. "99999999999.999999": fits 20 bytes with the NUL */
#define SLACK_TS_TEXT 24

/*
 * Read a ts as microseconds since 1970: digits, optionally a dot and up to six digits (fewer are
 * filled up on the right, more are cut); blanks in front are passed over; JSON numbers are taken too.
 * False when it is empty, has other characters, or passes the year 2286 (11 digits of seconds).
 */
bool slack_ts_text(struct ark_str s, int64_t *out_us);
bool slack_ts_value(struct json_val v, int64_t *out_us);
/* The canonical text with six decimals. */
struct ark_str slack_ts_format(int64_t us, char out[SLACK_TS_TEXT]);

#endif
