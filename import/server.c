#include "import/server.h"

#include "common/cli/signal.h"
#include "common/mm/api.h"

#include "common/base/banned.h"

enum ark_rc server_open(struct app *a, struct ark_err *err)
{
	const struct import_config *c = a->config;
	if ((c->api_url == NULL) != (c->api_token_file == NULL)) {
		ark_err_set(err, ARK_KIND_USAGE, "--api-url and --api-token-file belong together");
		ark_err_hint(err, "the token is an administrator's personal access token");
		return ARK_FAIL;
	}
	return c->api_url == NULL ? ARK_OK : mm_api_open(c->api_url, c->api_token_file, ark_interrupted, &a->api, err);
}

void server_drop_caches(struct app *a)
{
	int status = 0;
	struct ark_err err = { 0 };
	if (a->config->api_url == NULL) {
		ark_info(a->talk, "import.caches",
		         "a running server must drop its caches: --api-url and --api-token-file, or System "
		         "Console, or a restart; until then new members cannot post. Reactions it keeps for half an "
		         "hour in any case");
		return;
	}
	enum ark_rc rc = mm_api_drop_caches(a->api, &status, &err);
	if (rc == ARK_OK && status == 200) {
		ark_info(a->talk, "import.caches_dropped", "the server dropped its caches");
		return;
	}
	if (rc == ARK_OK)
		ark_warn(a->talk, "import.caches_failed",
		         "the server did not drop its caches (it answered %d%s): System Console does it, or a restart",
		         status, status == 401 || status == 403 ? ": the token is no administrator's" : "");
	else
		ark_warn(a->talk, "import.caches_failed",
		         "the server could not be told to drop its caches: %s; System Console does it, or a restart",
		         err.text);
}
