/*
 * UTF-8 over libutf8proc: decoding, cleaning, counting, normalising. "Rune" means code point, as in
 * Mattermost's limits.
 */
#ifndef ARK_BASE_UTF8_H
#define ARK_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* Decode the rune at byte `at` (< s.len). Writes its length in bytes (>= 1) to `len`. A byte that
 * starts no valid sequence gives U+FFFD with length 1; surrogates and overlong forms are invalid. */
uint32_t ark_utf8_at(struct ark_str s, size_t at, size_t *len);
/* The rune that ends just before byte `at`; 0 when at is 0. */
uint32_t ark_utf8_before(struct ark_str s, size_t at);
bool ark_utf8_valid(struct ark_str s);
/* Append the encoding of `rune`; what is no scalar value becomes U+FFFD. */
void ark_utf8_put(struct ark_buf *b, uint32_t rune);
/* The encoding of a scalar value into `out`; its length, 1 to 4. */
size_t ark_utf8_encode(uint32_t rune, char out[4]);
/* The lower-case letter of one that is upper case; every other rune as it is. */
uint32_t ark_utf8_lower(uint32_t rune);
/* Number of runes; invalid bytes count one each. */
size_t ark_utf8_runes(struct ark_str s);
/* The longest start of `s` with at most `runes` runes, cut between runes. */
struct ark_str ark_utf8_first(struct ark_str s, size_t runes);
/* The longest start of at most `bytes` bytes that does not cut a rune in two. */
struct ark_str ark_utf8_first_bytes(struct ark_str s, size_t bytes);
/* Columns that `s` takes on a terminal: wide East Asian runes and emoji 2, combining marks 0. Control
 * characters count 0: replace them first. */
size_t ark_utf8_columns(struct ark_str s);
/* The longest start that takes at most `columns` columns, cut between runes. */
struct ark_str ark_utf8_first_columns(struct ark_str s, size_t columns);
/* Append `s` fit for PostgreSQL text: U+0000 removed, invalid bytes as U+FFFD. */
void ark_utf8_clean(struct ark_buf *out, struct ark_str s);
/* Append the NFC form (names in archives may be NFD). Invalid input is appended as it is. */
void ark_utf8_nfc(struct ark_buf *out, struct ark_str s);
/* Append lower-case ASCII letters, digits and whatever ASCII remains of `s` after compatibility
 * decomposition without marks; each rune that has no such form becomes `other`. "Zoë Ærø" gives
 * "zoe aero"; a table holds letters that do not decompose (ß, æ, ø, đ, ł, þ ...). */
void ark_utf8_ascii_lower(struct ark_buf *out, struct ark_str s, char other);
/* Letters, digits and marks of any script; '_' not included. */
bool ark_utf8_is_word(uint32_t rune);
/* Letters of any script, without digits and marks. */
bool ark_utf8_is_letter(uint32_t rune);
/* White space as Unicode has it, line ends included. */
bool ark_utf8_is_space(uint32_t rune);
/* Punctuation or symbol of any script. */
bool ark_utf8_is_punct(uint32_t rune);

#endif
