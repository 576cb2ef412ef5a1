/*
 * Emoji names: Slack's to Mattermost's. Tables only; pure.
 */
#ifndef IMPORT_TRANSLATE_EMOJI_H
#define IMPORT_TRANSLATE_EMOJI_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

enum emoji_kind {
	EMOJI_SYSTEM,  /* a name that Mattermost 11.6 knows: written to `out` */
	EMOJI_UNICODE, /* Mattermost has no name: for text `out` is the Unicode character itself */
	EMOJI_CUSTOM,  /* neither: `out` is a valid custom emoji name (1..64 of [a-z0-9_+-]) made from
	                  it, the same for the same input every time */
};

/*
 * `name` without colons, with or without "::skin-tone-N". Appends to `out` and tells what it is.
 * Skin tones become Mattermost's suffix names where they exist, else are dropped. For EMOJI_UNICODE,
 * `as_name` (may be NULL) receives the name to use as a reaction (the row is valid; clients show no
 * picture).
 */
enum emoji_kind emoji_translate(struct ark_str name, struct ark_buf *out, struct ark_buf *as_name);
/* Is this one of Slack's own names, with or without a tone (and so no custom emoji)? */
bool emoji_is_known(struct ark_str name);
/* Does Mattermost 11.6 know this name? */
bool emoji_is_system(struct ark_str name);

#endif
