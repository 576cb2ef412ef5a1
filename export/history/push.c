/*
 * Pushing the branch. With a lease the remote's branch must be what was pushed from here last, as the remote
 * itself says in the connection that then changes it, so nobody else's push is lost in between.
 */
#include <git2.h>
#if __has_include(<git2/sys/errors.h>) /* libgit2 1.8 and later: git_error_set_str moved there */
#include <git2/sys/errors.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "export/history/git.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define PUSHED "pushed"

#define PASSWORD_MAX 4096
#define KEYS 3

struct pushing {
	const char *password_file;
	bool asked_agent;
	unsigned keys;      /* of KEY_NAMES that were tried */
	bool gave_password;
	const char *lacks;  /* what would have been needed; NULL: nothing more */
	char rejected[512];
};

/* The first line of the file. */
static bool read_password(const char *path, struct ark_buf *out)
{
	FILE *f = fopen(path, "re");
	char line[PASSWORD_MAX];
	bool fine = f != NULL && fgets(line, sizeof(line), f) != NULL;
	if (f != NULL)
		(void)fclose(f);
	if (fine)
		ark_buf_str(out, ark_str_trim(ark_str_z(line)));
	crypt_wipe(line, sizeof(line));
	return fine;
}

/* The agent's keys, and then those in files with the usual names; a passphrase for these is the password. */
static int ssh_key(struct pushing *p, git_credential **out, const char *user)
{
	static const char *const KEY_NAMES[KEYS] = { "id_ed25519", "id_ecdsa", "id_rsa" };
	const char *home = getenv("HOME");
	if (!p->asked_agent) {
		p->asked_agent = true;
		if (getenv("SSH_AUTH_SOCK") != NULL)
			return git_credential_ssh_key_from_agent(out, user);
	}
	ark_auto(ark_buf_release) struct ark_buf path, password;
	ark_buf_init(&path, 1u << 16);
	ark_buf_init(&password, PASSWORD_MAX);
	bool has = p->password_file != NULL && read_password(p->password_file, &password);
	while (home != NULL && p->keys < KEYS) {
		ark_buf_reset(&path);
		ark_buf_fmt(&path, "%s/.ssh/%s", home, KEY_NAMES[p->keys++]);
		if (access(path.data, R_OK) != 0)
			continue;
		int rc = git_credential_ssh_key_new(out, user, NULL, path.data, has ? password.data : NULL);
		if (has)
			crypt_wipe(password.data, password.len);
		return rc;
	}
	p->lacks = "a key that the remote knows, in ssh-agent or as ~/.ssh/id_ed25519, id_ecdsa or id_rsa";
	return GIT_EAUTH;
}

static int password(struct pushing *p, git_credential **out, const char *user)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, PASSWORD_MAX);
	if (p->gave_password || p->password_file == NULL || !read_password(p->password_file, &text)) {
		p->lacks = p->gave_password ? "the right user in the address, and the right password in the file"
		                            : "--push-password-file FILE";
		return GIT_EAUTH;
	}
	p->gave_password = true;
	int rc = git_credential_userpass_plaintext_new(out, user, text.data);
	crypt_wipe(text.data, text.len);
	return rc;
}

/* Asked again after each one that was refused. */
static int credentials(git_credential **out, const char *url, const char *user, unsigned allowed, void *payload)
{
	struct pushing *p = payload;
	(void)url;
	user = user != NULL ? user : "git";
	int rc = GIT_PASSTHROUGH;
	if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0)
		rc = ssh_key(p, out, user);
	else if ((allowed & GIT_CREDENTIAL_USERNAME) != 0)
		return git_credential_username_new(out, user);
	if (rc != 0 && (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && (allowed & GIT_CREDENTIAL_SSH_KEY) == 0)
		rc = password(p, out, user);
	if (rc == GIT_EAUTH)
		(void)git_error_set_str(GIT_ERROR_NET, "the remote does not let us in");
	return rc;
}

static int on_status(const char *name, const char *status, void *payload)
{
	struct pushing *p = payload;
	(void)name;
	if (status != NULL)
		snprintf(p->rejected, sizeof(p->rejected), "%s", status);
	return 0;
}

/* --- what was pushed where --------------------------------------------------------------------- */

/* Addresses may hold secrets, so their digests stand in the file: lines "DIGEST ID". */
static void key_of(const char *url, char hex[CRYPT_SHA256_HEX])
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	struct crypt_hash *h = crypt_hash_new();
	crypt_sha256(h, url, strlen(url), digest);
	crypt_hash_free(h);
	crypt_hex(digest, sizeof(digest), hex);
}

/* The id that the file has for this remote, and all other lines into `others`. */
static enum ark_rc read_pushed(struct history *h, const char *key, struct ark_buf *others, struct history_oid *last,
                               bool *has, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_HISTORY_SMALL);
	*has = false;
	enum ark_rc rc = history_repo_small(h->repo, PUSHED, &text, err);
	for (struct ark_str rest = ark_buf_view(&text); rc == ARK_OK && rest.len > 0;) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_first(rest, end);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		if (ark_str_starts(line, ark_str_z(key)))
			*has = history_oid_read(ark_str_from(line, strlen(key) + 1), last);
		else
			ark_buf_fmt(others, "%.*s\n", ARK_FMT(line));
	}
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc note_pushed(struct history *h, const char *key, struct ark_buf *others, const struct history_oid *id,
                               struct ark_err *err)
{
	char hex[HISTORY_OID_HEX];
	history_oid_hex(id, hex);
	ark_buf_fmt(others, "%s %s\n", key, hex);
	return history_repo_put(h->repo, PUSHED, ark_buf_view(others), err);
}

/* --- pushing ----------------------------------------------------------------------------------- */

/* What the connected remote says of the branch. */
static enum ark_rc remote_branch(git_remote *remote, struct history_oid *out, bool *has, struct ark_err *err)
{
	const git_remote_head **heads;
	size_t count;
	*has = false;
	if (git_remote_ls(&heads, &count, remote) < 0)
		return history_git_fail(err, "asking the remote");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(heads[i]->name, HISTORY_BRANCH) != 0)
			continue;
		memcpy(out->b, heads[i]->oid.id, HISTORY_OID);
		*has = true;
	}
	return ARK_OK;
}

static enum ark_rc push_now(struct history *h, git_remote *remote, git_push_options *opt, const struct pushing *p,
                            struct ark_err *err)
{
	char spec[128];
	snprintf(spec, sizeof(spec), "%s" HISTORY_BRANCH ":" HISTORY_BRANCH, h->config->force_with_lease ? "+" : "");
	char *specs[] = { spec };
	git_strarray list = { specs, 1 };
	int failed = ark_fail_step("push");
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot push");
	int rc = git_remote_upload(remote, &list, opt);
	if (rc == GIT_ENONFASTFORWARD) {
		ark_err_set(err, ARK_KIND_REFUSED, "the remote's branch holds commits that are not here");
		ark_err_hint(err, "after a rebuild: --force-with-lease replaces them, if they are what was pushed from here");
		return ARK_FAIL;
	}
	if (rc < 0)
		return history_git_fail(err, "pushing");
	if (p->rejected[0] != '\0')
		return ark_err_set(err, ARK_KIND_REFUSED, "the remote refuses the branch: %s", p->rejected);
	return ARK_OK;
}

static enum ark_rc push_connected(struct history *h, git_remote *remote, git_push_options *opt, const struct pushing *p,
                                  const struct history_oid *head, struct ark_err *err)
{
	char key[CRYPT_SHA256_HEX];
	struct history_oid last, there;
	bool has_last, has_there;
	ark_auto(ark_buf_release) struct ark_buf others;
	ark_buf_init(&others, LIMIT_HISTORY_SMALL);
	key_of(git_remote_url(remote), key);
	enum ark_rc rc = read_pushed(h, key, &others, &last, &has_last, err);
	if (rc == ARK_OK)
		rc = remote_branch(remote, &there, &has_there, err);
	if (rc < 0)
		return rc;
	if (has_there && history_oid_eq(&there, head))
		return note_pushed(h, key, &others, head, err);
	if (h->config->force_with_lease && has_there && (!has_last || !history_oid_eq(&there, &last))) {
		ark_err_set(err, ARK_KIND_REFUSED, "the remote's branch is not what was pushed from here last");
		ark_err_hint(err, "somebody else pushed there; look at it before it is replaced");
		return ARK_FAIL;
	}
	rc = push_now(h, remote, opt, p, err);
	return rc == ARK_OK ? note_pushed(h, key, &others, head, err) : rc;
}

/* What the failure of a connection means; the texts are libgit2's. */
static enum ark_rc explain(const struct pushing *p, int rc, struct ark_err *err)
{
	(void)history_git_fail(err, "reaching the remote");
	if (rc == GIT_EAUTH) {
		err->kind = ARK_KIND_REFUSED;
		ark_err_hint(err, "needed is %s", p->lacks != NULL ? p->lacks : "another key or password");
	} else if (rc == GIT_ECERTIFICATE) {
		err->kind = ARK_KIND_REFUSED;
		ark_err_hint(err, "ssh: the host's key must stand in ~/.ssh/known_hosts, as 'ssh HOST' puts it there; https: SSL_CERT_FILE may "
		                  "name the authorities to trust");
	} else {
		ark_err_hint(err, "understood are paths, ssh://[USER@]HOST[:PORT]/PATH, https:// and http://; what git's own configuration says of "
		                  "ssh (ProxyJump, sshCommand) is not: push with 'git push' then");
	}
	return ARK_FAIL;
}

/* Command lines are seen by all users of a machine. */
enum ark_rc history_push_check(const struct history *h, struct ark_err *err)
{
	struct ark_str s = ark_str_z(h->config->push != NULL ? h->config->push : "");
	size_t scheme = ark_str_search(s, ARK_LIT("://"), 0);
	struct ark_str host = scheme == SIZE_MAX ? ARK_LIT("") : ark_str_from(s, scheme + 3);
	host = ark_str_first(host, ark_str_find(host, '/', 0));
	size_t at = ark_str_find(host, '@', 0);
	if (at == SIZE_MAX || ark_str_find(ark_str_first(host, at), ':', 0) == SIZE_MAX)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_USAGE, "the address of the remote holds a password");
	ark_err_hint(err, "leave it out, and name a file with it: --push-password-file FILE");
	return ARK_FAIL;
}

enum ark_rc history_push(struct history *h, struct ark_err *err)
{
	git_repository *git = history_repo_git(h->repo);
	git_remote *remote = NULL;
	struct history_oid head;
	const char *authorities = getenv("SSL_CERT_FILE");
	if (!history_repo_head(h->repo, &head))
		return ARK_OK;
	if (authorities != NULL && git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, authorities, NULL) < 0)
		return history_git_fail(err, "SSL_CERT_FILE");
	if (git_remote_lookup(&remote, git, h->config->push) < 0 &&
	    git_remote_create_anonymous(&remote, git, h->config->push) < 0)
		return history_git_fail(err, "the remote");
	struct pushing p = { .password_file = h->config->push_password_file };
	git_push_options opt = GIT_PUSH_OPTIONS_INIT;
	opt.callbacks.credentials = credentials;
	opt.callbacks.push_update_reference = on_status;
	opt.callbacks.payload = &p;
	int failed = git_remote_connect(remote, GIT_DIRECTION_PUSH, &opt.callbacks, NULL, NULL);
	enum ark_rc rc = failed < 0 ? explain(&p, failed, err) : push_connected(h, remote, &opt, &p, &head, err);
	git_remote_free(remote);
	return rc < 0 ? ark_err_in(err, rc, "push; the history here is complete") : ARK_OK;
}
