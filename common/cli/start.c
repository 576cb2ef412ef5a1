#include "common/cli/start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/private.h"
#include "common/cli/render.h"
#include "common/cli/signal.h"

#include "common/base/banned.h"

/* The command line could not be read: whether the caller wanted JSON must still be found. */
static bool has_word(int argc, char *const *argv, const char *word)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

/*
 * A caller may have closed standard input, output or error; the next file opened would take that
 * number, and messages would be written into it. Opened the wrong way round: using them still
 * fails.
 */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(ARK_EXIT_FAILED);
}

bool ark_start(const struct ark_tool *tool, int argc, char *const *argv, void *config,
               struct ark_args *args, struct ark_talk *talk, int *code)
{
	struct ark_err err = { 0 };
	const struct ark_places places = { .environ = environ, .system_file = ARK_CONFIG_SYSTEM };
	fill_standard_streams();
	ark_signal_install();
	enum ark_rc rc = ark_args_read(tool, argc, argv, &places, config, args, &err);
	if (rc < 0) {
		args->common.json |= has_word(argc, argv, "--json");
		args->common.log_json |= has_word(argc, argv, "--log-json");
	}
	ark_talk_init(talk, tool->name, &args->common);
	for (size_t i = 0; i < args->warnings.count; i++)
		ark_warn(talk, "config.readable", "%s", args->warnings.items[i]);
	if (rc == ARK_OK && !args->common.show_config)
		rc = ark_pipes_read(args, config, &err);
	if (rc == ARK_OK)
		return true;
	enum ark_exit result = ARK_EXIT_DONE;
	if (rc < 0)
		result = ark_fail(talk, &err);
	else
		ark_answer(args, talk);
	*code = ark_finish(talk, result);
	return false;
}
