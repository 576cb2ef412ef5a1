#include "common/crypt/seal.h"

#include <sodium.h>

#include "common/base/mem.h"
#include "common/crypt/hash.h"

#include "common/base/banned.h"

_Static_assert(CRYPT_SEALED_KEY_BYTES == CRYPT_KEY_BYTES + crypto_box_SEALBYTES, "sealed key");
_Static_assert(CRYPT_STREAM_HEAD == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "stream head");
_Static_assert(CRYPT_PIECE_MORE == crypto_secretstream_xchacha20poly1305_ABYTES, "stream piece");
_Static_assert(CRYPT_KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES, "stream key");

static void ready(void)
{
	if (sodium_init() < 0)
		ark_bug("libsodium does not start");
}

void crypt_random(void *out, size_t len)
{
	ready();
	randombytes_buf(out, len);
}

void crypt_wipe(void *secret, size_t len)
{
	sodium_memzero(secret, len);
}

void crypt_identity_make(struct crypt_identity *out)
{
	ready();
	crypto_box_keypair(out->pub, out->secret);
}

static void key_text(const char *what, const unsigned char key[CRYPT_KEY_BYTES], struct ark_buf *out)
{
	char hex[2 * CRYPT_KEY_BYTES + 1];
	crypt_hex(key, CRYPT_KEY_BYTES, hex);
	ark_buf_z(out, what);
	ark_buf_z(out, hex);
	crypt_wipe(hex, sizeof(hex));
}

void crypt_recipient_text(const unsigned char pub[CRYPT_KEY_BYTES], struct ark_buf *out)
{
	key_text(CRYPT_RECIPIENT, pub, out);
}

void crypt_identity_text(const struct crypt_identity *id, struct ark_buf *out)
{
	key_text(CRYPT_IDENTITY, id->secret, out);
}

/* The first line that is neither empty nor a comment. */
static struct ark_str content_line(struct ark_str text)
{
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		struct ark_str line = ark_str_trim(ark_str_first(text, end));
		if (line.len > 0 && line.ptr[0] != '#')
			return line;
		text = end == SIZE_MAX ? ark_str_from(text, text.len) : ark_str_from(text, end + 1);
	}
	return text;
}

static enum ark_rc key_read(struct ark_str text, struct ark_str what,
                            unsigned char out[CRYPT_KEY_BYTES], struct ark_err *err)
{
	struct ark_str line = content_line(text);
	size_t got = 0;
	if (!ark_str_starts(line, what) || line.len != what.len + 2 * CRYPT_KEY_BYTES ||
	    sodium_hex2bin(out, CRYPT_KEY_BYTES, line.ptr + what.len, line.len - what.len, NULL, &got, NULL) != 0 ||
	    got != CRYPT_KEY_BYTES)
		return ark_err_set(err, ARK_KIND_INPUT, "no key: a line '%.*s' and %d hex digits is wanted",
		                   ARK_FMT(what), 2 * CRYPT_KEY_BYTES);
	return ARK_OK;
}

enum ark_rc crypt_recipient_read(struct ark_str text, unsigned char pub[CRYPT_KEY_BYTES],
                                 struct ark_err *err)
{
	ready();
	return key_read(text, ARK_LIT(CRYPT_RECIPIENT), pub, err);
}

enum ark_rc crypt_identity_read(struct ark_str text, struct crypt_identity *out, struct ark_err *err)
{
	ready();
	enum ark_rc rc = key_read(text, ARK_LIT(CRYPT_IDENTITY), out->secret, err);
	if (rc == ARK_OK && crypto_scalarmult_base(out->pub, out->secret) != 0)
		return ark_err_set(err, ARK_KIND_INPUT, "the identity is no usable key");
	return rc;
}

void crypt_key_seal(const unsigned char pub[CRYPT_KEY_BYTES], const unsigned char key[CRYPT_KEY_BYTES],
                    unsigned char out[CRYPT_SEALED_KEY_BYTES])
{
	ready();
	if (crypto_box_seal(out, key, CRYPT_KEY_BYTES, pub) != 0)
		ark_bug("a key cannot be sealed");
}

bool crypt_key_open(const struct crypt_identity *id, const unsigned char sealed[CRYPT_SEALED_KEY_BYTES],
                    unsigned char key[CRYPT_KEY_BYTES])
{
	return crypto_box_seal_open(key, sealed, CRYPT_SEALED_KEY_BYTES, id->pub, id->secret) == 0;
}

struct crypt_named {
	unsigned char key[CRYPT_KEY_BYTES];
	crypto_generichash_state state;
};

struct crypt_named *crypt_named_new(const unsigned char key[CRYPT_KEY_BYTES])
{
	ready();
	/* its state wants to stand at a multiple of 64 */
	struct crypt_named *n = aligned_alloc(64, (sizeof(struct crypt_named) + 63) / 64 * 64);
	if (n == NULL)
		ark_bug("no memory for a hash");
	memcpy(n->key, key, CRYPT_KEY_BYTES);
	return n;
}

void crypt_named_free(struct crypt_named *n)
{
	if (n == NULL)
		return;
	crypt_wipe(n, sizeof(*n));
	free(n);
}

void crypt_named_begin(struct crypt_named *n)
{
	crypto_generichash_init(&n->state, n->key, CRYPT_KEY_BYTES, 32);
}

void crypt_named_add(struct crypt_named *n, const void *data, size_t len)
{
	crypto_generichash_update(&n->state, data, len);
}

void crypt_named_end(struct crypt_named *n, unsigned char out[32])
{
	crypto_generichash_final(&n->state, out, 32);
}

struct crypt_stream {
	crypto_secretstream_xchacha20poly1305_state state;
	struct ark_str bound;
};

struct crypt_stream *crypt_stream_new(void)
{
	ready();
	return ark_calloc(1, sizeof(struct crypt_stream));
}

void crypt_stream_free(struct crypt_stream *s)
{
	if (s == NULL)
		return;
	crypt_wipe(s, sizeof(*s));
	free(s);
}

void crypt_stream_seal(struct crypt_stream *s, const unsigned char key[CRYPT_KEY_BYTES],
                       struct ark_str bound, unsigned char head[CRYPT_STREAM_HEAD])
{
	s->bound = bound;
	crypto_secretstream_xchacha20poly1305_init_push(&s->state, head, key);
}

static unsigned char tag(bool last)
{
	return last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL :
	              crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
}

void crypt_stream_push(struct crypt_stream *s, struct ark_str plain, bool last, struct ark_buf *out)
{
	char *to = ark_buf_room(out, plain.len + CRYPT_PIECE_MORE);
	if (to == NULL)
		return;
	crypto_secretstream_xchacha20poly1305_push(&s->state, (unsigned char *)to, NULL,
	                                           (const unsigned char *)plain.ptr, plain.len,
	                                           (const unsigned char *)s->bound.ptr, s->bound.len, tag(last));
	out->len += plain.len + CRYPT_PIECE_MORE;
}

enum ark_rc crypt_stream_open(struct crypt_stream *s, const unsigned char key[CRYPT_KEY_BYTES],
                              struct ark_str bound, const unsigned char head[CRYPT_STREAM_HEAD],
                              struct ark_err *err)
{
	s->bound = bound;
	if (crypto_secretstream_xchacha20poly1305_init_pull(&s->state, head, key) != 0)
		return ark_err_set(err, ARK_KIND_INPUT, "its encryption is damaged");
	return ARK_OK;
}

enum ark_rc crypt_stream_pull(struct crypt_stream *s, struct ark_str piece, bool last,
                              struct ark_buf *out, struct ark_err *err)
{
	unsigned char got = 0;
	if (piece.len < CRYPT_PIECE_MORE)
		return ark_err_set(err, ARK_KIND_INPUT, "its encryption is cut off");
	char *to = ark_buf_room(out, piece.len - CRYPT_PIECE_MORE);
	if (to == NULL)
		return ark_err_set(err, ARK_KIND_LIMIT, "an encrypted piece is too long");
	if (crypto_secretstream_xchacha20poly1305_pull(&s->state, (unsigned char *)to, NULL, &got,
	                                               (const unsigned char *)piece.ptr, piece.len,
	                                               (const unsigned char *)s->bound.ptr, s->bound.len) != 0 ||
	    got != tag(last))
		return ark_err_set(err, ARK_KIND_INPUT, "its encryption does not hold: damaged, or of another object");
	out->len += piece.len - CRYPT_PIECE_MORE;
	out->data[out->len] = '\0';
	return ARK_OK;
}
