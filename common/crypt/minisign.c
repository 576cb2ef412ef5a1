#include "common/crypt/minisign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define COMMENT "untrusted comment: "
#define TRUSTED "trusted comment: "
#define LINE_MAX_BYTES 1024 /* of a comment, as minisign has it */

/* scrypt for keys that we make: N = 2^15, r = 8. What the file says counts when it is read. */
#define OPS_LIMIT 4194304ull
#define MEM_LIMIT (32u << 20)
#define MEM_LIMIT_MAX (1u << 30) /* minisign's own; a file that wants more is hostile */
#define OPS_LIMIT_MAX 33554432ull

/* A secret key file, decoded. What is behind mem_limit is masked when kdf is "Sc". */
struct secret_file {
	unsigned char sig_alg[2]; /* "Ed" */
	unsigned char kdf_alg[2]; /* "Sc", or two zeros */
	unsigned char sum_alg[2]; /* "B2" */
	unsigned char salt[32];
	unsigned char ops_limit[8], mem_limit[8]; /* little endian */
	struct secret_part {
		unsigned char id[CRYPT_KEY_ID_BYTES];
		unsigned char key[64];
		unsigned char sum[32];
	} part;
};
struct public_file {
	unsigned char sig_alg[2];
	unsigned char id[CRYPT_KEY_ID_BYTES];
	unsigned char key[32];
};
struct signature_file {
	unsigned char sig_alg[2]; /* "ED": over the digest; "Ed": over the data */
	unsigned char id[CRYPT_KEY_ID_BYTES];
	unsigned char signature[64];
};
_Static_assert(sizeof(struct secret_file) == 158, "no padding");
_Static_assert(sizeof(struct public_file) == 42, "no padding");
_Static_assert(sizeof(struct signature_file) == 74, "no padding");

static enum ark_rc ready(struct ark_err *err)
{
	return sodium_init() < 0 ? ark_err_stop(err, ARK_KIND_IO, "libsodium finds no random numbers") : ARK_OK;
}

void crypt_secret_key_release(struct crypt_secret_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

static void u64_out(unsigned char out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t u64_in(const unsigned char in[8])
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | in[i];
	return v;
}

void crypt_minisign_id(const unsigned char id[CRYPT_KEY_ID_BYTES], char hex[CRYPT_KEY_ID_HEX])
{
	snprintf(hex, CRYPT_KEY_ID_HEX, "%016llX", (unsigned long long)u64_in(id));
}

/* --- lines ------------------------------------------------------------------------------------- */

/* Take the first line off `rest`. */
static struct ark_str next_line(struct ark_str *rest)
{
	size_t end = ark_str_find(*rest, '\n', 0);
	struct ark_str line = ark_str_first(*rest, end);
	*rest = ark_str_from(*rest, end == SIZE_MAX ? rest->len : end + 1);
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool decode(struct ark_str line, void *to, size_t size)
{
	size_t len = 0;
	line = ark_str_trim(line);
	return line.len > 0 && line.len <= LINE_MAX_BYTES &&
	       sodium_base642bin(to, size, line.ptr, line.len, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len == size;
}

static void encode(struct ark_buf *out, const void *from, size_t size)
{
	size_t len = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
	char *to = ark_buf_room(out, len);
	if (to == NULL)
		return;
	sodium_bin2base64(to, len, from, size, sodium_base64_VARIANT_ORIGINAL);
	out->len += len - 1; /* the NUL */
	ark_buf_c(out, '\n');
}

/* --- keys -------------------------------------------------------------------------------------- */

enum ark_rc crypt_minisign_generate(struct crypt_secret_key *secret, struct crypt_public_key *public,
                                    struct ark_err *err)
{
	enum ark_rc rc = ready(err);
	if (rc < 0)
		return rc;
	randombytes_buf(secret->id, sizeof(secret->id));
	crypto_sign_keypair(public->key, secret->key);
	memcpy(public->id, secret->id, sizeof(public->id));
	return ARK_OK;
}

static void checksum(const struct secret_file *f, unsigned char out[32])
{
	crypto_generichash_state s;
	crypto_generichash_init(&s, NULL, 0, 32);
	crypto_generichash_update(&s, f->sig_alg, sizeof(f->sig_alg));
	crypto_generichash_update(&s, f->part.id, sizeof(f->part.id));
	crypto_generichash_update(&s, f->part.key, sizeof(f->part.key));
	crypto_generichash_final(&s, out, 32);
}

/* Put the mask of the password on, or take it off: it is the same. */
static enum ark_rc mask(struct secret_file *f, struct ark_str password, struct ark_err *err)
{
	unsigned char stream[sizeof(f->part)];
	uint64_t ops = u64_in(f->ops_limit), mem = u64_in(f->mem_limit);
	if (ops > OPS_LIMIT_MAX || mem > MEM_LIMIT_MAX)
		return ark_err_set(err, ARK_KIND_INPUT, "the secret key wants more work than any key of minisign");
	if (crypto_pwhash_scryptsalsa208sha256(stream, sizeof(stream), password.ptr, password.len, f->salt, ops,
	                                       (size_t)mem) != 0)
		return ark_err_set(err, ARK_KIND_MEMORY, "unlocking the secret key needs %llu MiB of memory",
		                   (unsigned long long)(mem >> 20));
	unsigned char *part = (unsigned char *)&f->part;
	for (size_t i = 0; i < sizeof(f->part); i++)
		part[i] ^= stream[i];
	sodium_memzero(stream, sizeof(stream));
	return ARK_OK;
}

enum ark_rc crypt_minisign_write_secret(const struct crypt_secret_key *key, struct ark_str password,
                                        struct ark_buf *out, struct ark_err *err)
{
	struct secret_file f = { .sig_alg = "Ed", .sum_alg = "B2" };
	char id[CRYPT_KEY_ID_HEX];
	memcpy(f.part.id, key->id, sizeof(f.part.id));
	memcpy(f.part.key, key->key, sizeof(f.part.key));
	checksum(&f, f.part.sum);
	enum ark_rc rc = ready(err);
	if (rc == ARK_OK && ark_str_has(password)) {
		memcpy(f.kdf_alg, "Sc", 2);
		randombytes_buf(f.salt, sizeof(f.salt));
		u64_out(f.ops_limit, OPS_LIMIT);
		u64_out(f.mem_limit, MEM_LIMIT);
		rc = mask(&f, password, err);
	}
	crypt_minisign_id(key->id, id);
	if (rc == ARK_OK) {
		ark_buf_fmt(out, COMMENT "matter-export %s secret key %s\n",
		            ark_str_has(password) ? "encrypted" : "unencrypted", id);
		encode(out, &f, sizeof(f));
	}
	sodium_memzero(&f, sizeof(f));
	return rc;
}

void crypt_minisign_write_public(const struct crypt_public_key *key, struct ark_buf *out)
{
	struct public_file f = { .sig_alg = "Ed" };
	char id[CRYPT_KEY_ID_HEX];
	memcpy(f.id, key->id, sizeof(f.id));
	memcpy(f.key, key->key, sizeof(f.key));
	crypt_minisign_id(key->id, id);
	ark_buf_fmt(out, COMMENT "minisign public key %s\n", id);
	encode(out, &f, sizeof(f));
}

static bool secret_of(struct ark_str file, struct secret_file *f)
{
	(void)next_line(&file);
	return decode(next_line(&file), f, sizeof(*f)) && memcmp(f->sig_alg, "Ed", 2) == 0 &&
	       memcmp(f->sum_alg, "B2", 2) == 0 &&
	       (memcmp(f->kdf_alg, "Sc", 2) == 0 || memcmp(f->kdf_alg, "\0", 2) == 0);
}

bool crypt_minisign_is_protected(struct ark_str file)
{
	struct secret_file f;
	bool is = secret_of(file, &f) && f.kdf_alg[0] == 'S';
	sodium_memzero(&f, sizeof(f));
	return is;
}

/* The second half of a secret key is the public one, which follows from the first. */
static bool halves_agree(const unsigned char key[64])
{
	unsigned char public[32], secret[64];
	crypto_sign_seed_keypair(public, secret, key);
	sodium_memzero(secret, sizeof(secret));
	return sodium_memcmp(public, key + 32, sizeof(public)) == 0;
}

enum ark_rc crypt_minisign_read_secret(struct ark_str file, struct ark_str password,
                                       struct crypt_secret_key *key, struct ark_err *err)
{
	struct secret_file f;
	enum ark_rc rc = ready(err);
	if (rc == ARK_OK && !secret_of(file, &f))
		rc = ark_err_set(err, ARK_KIND_INPUT, "this is no secret key of minisign");
	if (rc < 0)
		return rc;
	bool protected = f.kdf_alg[0] == 'S';
	if (protected && !ark_str_has(password))
		rc = ark_err_set(err, ARK_KIND_REFUSED, "the secret key is protected by a password");
	else if (protected)
		rc = mask(&f, password, err);
	unsigned char sum[32];
	if (rc == ARK_OK) {
		checksum(&f, sum);
		if (!protected && sodium_is_zero(f.part.sum, sizeof(f.part.sum)))
			memcpy(sum, f.part.sum, sizeof(sum)); /* minisign writes no sum into these */
		if (sodium_memcmp(sum, f.part.sum, sizeof(sum)) != 0 || !halves_agree(f.part.key))
			rc = protected ? ark_err_set(err, ARK_KIND_REFUSED, "the password does not open the secret key")
			               : ark_err_set(err, ARK_KIND_INPUT, "the secret key is damaged");
	}
	if (rc == ARK_OK) {
		memcpy(key->id, f.part.id, sizeof(key->id));
		memcpy(key->key, f.part.key, sizeof(key->key));
	}
	sodium_memzero(&f, sizeof(f));
	return rc;
}

enum ark_rc crypt_minisign_read_public(struct ark_str file, struct crypt_public_key *key, struct ark_err *err)
{
	struct public_file f;
	struct ark_str line = next_line(&file);
	if (ark_str_starts(line, ARK_LIT(COMMENT)))
		line = next_line(&file);
	if (!decode(line, &f, sizeof(f)) || memcmp(f.sig_alg, "Ed", 2) != 0)
		return ark_err_set(err, ARK_KIND_INPUT, "this is no public key of minisign");
	memcpy(key->id, f.id, sizeof(key->id));
	memcpy(key->key, f.key, sizeof(key->key));
	return ARK_OK;
}

/* --- signatures -------------------------------------------------------------------------------- */

static void digest(struct ark_str data, unsigned char out[64])
{
	crypto_generichash(out, 64, (const unsigned char *)data.ptr, data.len, NULL, 0);
}

/* What the second signature is over: the first one and the comment. */
static void comment_data(const unsigned char signature[64], struct ark_str comment, struct ark_buf *out)
{
	ark_buf_add(out, (const char *)signature, 64);
	ark_buf_str(out, comment);
}

enum ark_rc crypt_minisign_sign(const struct crypt_secret_key *key, struct ark_str data,
                                struct ark_str comment, struct ark_buf *out, struct ark_err *err)
{
	struct signature_file f = { .sig_alg = "ED" };
	unsigned char hash[64], second[64];
	char id[CRYPT_KEY_ID_HEX];
	enum ark_rc rc = ready(err);
	if (rc < 0)
		return rc;
	if (comment.len > LINE_MAX_BYTES || memchr(comment.ptr, '\n', comment.len) != NULL)
		ark_bug("a comment of several lines");
	memcpy(f.id, key->id, sizeof(f.id));
	digest(data, hash);
	crypto_sign_detached(f.signature, NULL, hash, sizeof(hash), key->key);
	ark_auto(ark_buf_release) struct ark_buf both;
	ark_buf_init(&both, 2 * LINE_MAX_BYTES);
	comment_data(f.signature, comment, &both);
	crypto_sign_detached(second, NULL, (const unsigned char *)both.data, both.len, key->key);
	crypt_minisign_id(key->id, id);
	ark_buf_fmt(out, COMMENT "signature of matter-export, key %s\n", id);
	encode(out, &f, sizeof(f));
	ark_buf_z(out, TRUSTED);
	ark_buf_str(out, comment);
	ark_buf_c(out, '\n');
	encode(out, second, sizeof(second));
	return ARK_OK;
}

static enum ark_rc read_signature(struct ark_str file, struct signature_file *f, struct ark_str *comment,
                                  unsigned char second[64], struct ark_err *err)
{
	struct ark_str first = next_line(&file), line = next_line(&file), trusted = next_line(&file);
	bool fine = ark_str_starts(first, ARK_LIT(COMMENT)) && decode(line, f, sizeof(*f)) &&
	            f->sig_alg[0] == 'E' && (f->sig_alg[1] == 'D' || f->sig_alg[1] == 'd') &&
	            ark_str_starts(trusted, ARK_LIT(TRUSTED)) && decode(next_line(&file), second, 64);
	if (!fine)
		return ark_err_set(err, ARK_KIND_INPUT, "this is no signature of minisign");
	*comment = ark_str_from(trusted, sizeof(TRUSTED) - 1);
	return comment->len <= LINE_MAX_BYTES ? ARK_OK
	                                      : ark_err_set(err, ARK_KIND_INPUT, "the signed comment is too long");
}

enum ark_rc crypt_minisign_verify(const struct crypt_public_key *key, struct ark_str data,
                                  struct ark_str signature, struct ark_str *comment, struct ark_err *err)
{
	struct signature_file f;
	unsigned char second[64], hash[64];
	struct ark_str said;
	enum ark_rc rc = ready(err);
	if (rc == ARK_OK)
		rc = read_signature(signature, &f, &said, second, err);
	if (rc < 0)
		return rc;
	if (memcmp(f.id, key->id, sizeof(f.id)) != 0) {
		char have[CRYPT_KEY_ID_HEX], want[CRYPT_KEY_ID_HEX];
		crypt_minisign_id(f.id, have);
		crypt_minisign_id(key->id, want);
		return ark_err_set(err, ARK_KIND_REFUSED, "signed with key %s, not with %s", have, want);
	}
	struct ark_str over = data;
	if (f.sig_alg[1] == 'D') {
		digest(data, hash);
		over = ark_str_n((const char *)hash, sizeof(hash));
	}
	if (crypto_sign_verify_detached(f.signature, (const unsigned char *)over.ptr, over.len, key->key) != 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "the signature does not belong to these data");
	ark_auto(ark_buf_release) struct ark_buf both;
	ark_buf_init(&both, 2 * LINE_MAX_BYTES);
	comment_data(f.signature, said, &both);
	if (crypto_sign_verify_detached(second, (const unsigned char *)both.data, both.len, key->key) != 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "the comment of the signature was changed");
	*comment = said;
	return ARK_OK;
}
