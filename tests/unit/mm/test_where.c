#include "common/mm/where.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/pg.h"

/* One line of an environment. */
#define VAR(text) ((char[]){ text })

static char base[64];

static const char *in_base(const char *name)
{
	static char path[4][200];
	static int turn;
	char *out = path[turn++ % 4];
	snprintf(out, 200, "%s/%s", base, name);
	return out;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_base(name), "w");
	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char CONFIG[] =
    "{\"SqlSettings\": {\"DriverName\": \"postgres\", \"DataSource\": \"postgres://mmuser:s3cret@db/mm"
    "?sslmode=disable&binary_parameters=yes\"},"
    " \"FileSettings\": {\"DriverName\": \"local\", \"Directory\": \"./data/\"}}";

static const struct db_options DB = { .app = "test" };

/* Input in which nothing is said and nothing is found. */
static struct mm_where_input nowhere(void)
{
	return (struct mm_where_input){ .config_usual = in_base("absent"), .writes = true, .db = &DB };
}

static struct mm_said said(const char *value, int rank)
{
	return (struct mm_said){ value, rank, rank > 5 ? "command line" : "environment MATTERARK_X" };
}

static void nothing_is_said(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	struct mm_where_input in = nowhere();
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_MISSING && strstr(err.hint, "--database") != NULL);
	mm_where_release(&w);
	in.optional = true;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.kind == MM_WHERE_NONE && w.files.kind == MM_FILES_NONE && w.files.problem[0] != '\0');
	mm_where_release(&w);
	in.embedded_default = true;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.kind == MM_WHERE_EMBEDDED && w.embedded_dir == NULL);
	CHECK(w.files.kind == MM_FILES_EMBEDDED);
}

static void what_is_said_wins_as_a_whole(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	char *const ENVIRON[] = { VAR("MM_SQLSETTINGS_DATASOURCE=postgres://other/x"),
		                  VAR("MM_FILESETTINGS_DIRECTORY=/other"), NULL };
	struct mm_where_input in = nowhere();
	in.environ = ENVIRON;
	in.database = said("postgres://me:s3cret@h/d", 7);
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.kind == MM_WHERE_DATABASE);
	CHECK_STR(ark_str_z(w.dsn), "user=me password=s3cret host=h dbname=d"); /* libpq's defaults */
	CHECK_STR(ark_str_z(w.dsn_masked), "user=me password=*** host=h dbname=d");
	CHECK_STR(ark_str_z(w.origin), "command line");
	CHECK(w.files.kind == MM_FILES_NONE && w.files.problem[0] != '\0'); /* not the other's */
	mm_where_release(&w);
	in.files = said("/srv/data", 3); /* both said, at different ranks */
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.files.kind == MM_FILES_LOCAL);
	CHECK_STR(ark_str_z(w.files.path), "/srv/data");
	CHECK_STR(ark_str_z(w.files.origin), "environment MATTERARK_X");
	mm_where_release(&w);
	in.embedded = said("/emb", 3); /* the command line beats the environment */
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.kind == MM_WHERE_DATABASE);
	mm_where_release(&w);
	in.database.rank = 2;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.kind == MM_WHERE_EMBEDDED);
	CHECK_STR(ark_str_z(w.embedded_dir), "/emb");
	CHECK(w.dsn == NULL);
	mm_where_release(&w);
	in.database.rank = 3;
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_USAGE);
	mm_where_release(&w);
	in.embedded = (struct mm_said){ 0 };
	in.database.value = "nonsense s3cret";
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_USAGE);
	CHECK(strstr(err.text, "s3cret") == NULL);
}

static void environment_as_mattermost_reads_it(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	char *const PLAIN[] = { VAR("MM_SQLSETTINGS_DATASOURCE=postgres://u:s3cret@h/d"),
		                VAR("MM_FILESETTINGS_DRIVERNAME=amazons3"),
		                VAR("MM_FILESETTINGS_AMAZONS3BUCKET=b"),
		                VAR("MM_FILESETTINGS_AMAZONS3PATHPREFIX=/p/q/"),
		                VAR("MM_FILESETTINGS_AMAZONS3SSL=false"),
		                VAR("MM_FILESETTINGS_AMAZONS3SECRETACCESSKEY=s3cret"), NULL };
	struct mm_where_input in = nowhere();
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1000);
	put("usual.json", CONFIG);
	in.config_usual = in_base("usual.json");
	in.environ = PLAIN;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.dsn), "user=u password=s3cret host=h dbname=d sslmode=require");
	CHECK_STR(ark_str_z(w.origin), "environment MM_SQLSETTINGS_DATASOURCE");
	CHECK(w.files.kind == MM_FILES_S3 && w.files.plain_http && w.config == NULL);
	CHECK_STR(ark_str_z(w.files.secret_key), "s3cret");
	mm_files_text(&w.files, &text);
	CHECK_STR(ark_buf_view(&text), "s3://b/p/q");
	mm_where_release(&w);
	/* without a word about files, they are not taken from another rank */
	char *const ALONE[] = { VAR("MM_CONFIG="), VAR("MM_SQLSETTINGS_DATASOURCE=dbname=d"), NULL };
	in.environ = ALONE;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.dsn), "dbname=d sslmode=require host=localhost");
	CHECK(w.files.kind == MM_FILES_NONE);
	mm_where_release(&w);
	/* MM_CONFIG with single variables over it */
	char config[300];
	snprintf(config, sizeof(config), "MM_CONFIG=%s", in_base("usual.json"));
	char *const over[] = { config, VAR("MM_FILESETTINGS_DIRECTORY=/elsewhere"), NULL };
	in.environ = over;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.dsn), "user=mmuser password=s3cret host=db dbname=mm sslmode=disable");
	CHECK(w.files.kind == MM_FILES_LOCAL && w.config != NULL);
	CHECK_STR(ark_str_z(w.files.path), "/elsewhere");
	CHECK_STR(ark_str_z(w.files.origin), "environment MM_FILESETTINGS_DIRECTORY");
	mm_where_release(&w);
	char *const gone[] = { VAR("MM_CONFIG=/nonexistent/config.json"), NULL };
	in.environ = gone;
	CHECK(mm_where_find(&in, &w, &err) < 0 && err.kind == ARK_KIND_MISSING);
}

static void configuration_files(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	char want[300];
	struct mm_where_input in = nowhere();
	CHECK(mkdir(in_base("config"), 0755) == 0);
	put("config/config.json", CONFIG);
	in.config_usual = in_base("config/config.json");
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.dsn), "user=mmuser password=s3cret host=db dbname=mm sslmode=disable");
	snprintf(want, sizeof(want), "SqlSettings.DataSource in %s", in.config_usual);
	CHECK_STR(ark_str_z(w.origin), want);
	snprintf(want, sizeof(want), "%s/data/", base); /* above `config`, where the server runs */
	CHECK_STR(ark_str_z(w.files.path), want);
	mm_where_release(&w);
	/* the one in the present folder: for reading only */
	char here[300];
	CHECK(getcwd(here, sizeof(here)) != NULL && chdir(base) == 0);
	in.config_usual = in_base("absent");
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_MISSING);
	mm_where_release(&w);
	in.writes = false;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(chdir(here) == 0);
	mm_where_release(&w);
	/* named, as a whole and for the files beside --database */
	in.config = said(in_base("config/config.json"), 7);
	in.database = said("dbname=x", 7);
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.dsn), "dbname=x");
	CHECK_STR(ark_str_z(w.files.path), want);
	mm_where_release(&w);
	in.database.rank = 3;
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(strstr(w.dsn, "dbname=mm") != NULL);
	mm_where_release(&w);
	in.database = (struct mm_said){ 0 };
	in.config.value = in_base("absent");
	CHECK(mm_where_find(&in, &w, &err) < 0 && err.kind == ARK_KIND_MISSING);
}

static void what_a_configuration_may_get_wrong(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	struct mm_where_input in = nowhere();
	in.config = said(in_base("c.json"), 7);
	put("c.json", "{\"SqlSettings\": {\"DriverName\": \"mysql\", \"DataSource\": \"x\"}}");
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_REFUSED);
	mm_where_release(&w);
	put("c.json", "{\"SqlSettings\": {}}");
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_MISSING);
	mm_where_release(&w);
	put("c.json", "{\"SqlSettings\": \"s3cret");
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_INPUT);
	CHECK(strstr(err.text, "s3cret") == NULL);
	mm_where_release(&w);
	put("c.json", "{\"SqlSettings\": {\"DataSource\": \"s3cret\"}}");
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && strstr(err.text, "s3cret") == NULL);
	mm_where_release(&w);
	put("c.json", "{\"SqlSettings\": {\"DataSource\": \"dbname=d\"}, \"FileSettings\":"
	              " {\"DriverName\": \"tape\"}}");
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_REFUSED);
	mm_where_release(&w);
	if (geteuid() == 0)
		return; /* root may read everything */
	in.config = (struct mm_said){ 0 };
	in.config_usual = in_base("c.json");
	in.embedded_default = true; /* and would be wrong */
	CHECK(chmod(in.config_usual, 0) == 0);
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_REFUSED);
}

static void file_stores_that_are_named(void)
{
	struct ark_err err = { 0 };
	static const struct {
		const char *text, *bucket, *path;
	} STORES[] = { { "s3://b", "b", "" }, { "s3://b/", "b", "" }, { "s3://b/x/y/", "b", "x/y" } };
	struct mm_where_input in = nowhere();
	in.optional = true;
	for (size_t i = 0; i < sizeof(STORES) / sizeof(STORES[0]); i++) {
		ark_auto(mm_where_release) struct mm_where w = { 0 };
		in.files = said(STORES[i].text, 7);
		CHECK_OK(mm_where_find(&in, &w, &err));
		CHECK(w.files.kind == MM_FILES_S3);
		CHECK_STR(ark_str_z(w.files.bucket), STORES[i].bucket);
		CHECK_STR(ark_str_z(w.files.path), STORES[i].path);
	}
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	in.files = said("s3:///x", 7);
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_USAGE);
	mm_where_release(&w);
	in.files = said("", 7);
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_USAGE);
	mm_where_release(&w);
	/* the keys of a bucket that Mattermost's configuration knows */
	put("s3.json", "{\"SqlSettings\": {\"DataSource\": \"dbname=d\"}, \"FileSettings\":"
	               " {\"DriverName\": \"amazons3\", \"AmazonS3Bucket\": \"b\","
	               " \"AmazonS3AccessKeyId\": \"key\", \"AmazonS3Endpoint\": \"minio:9000\"}}");
	in.config = said(in_base("s3.json"), 7);
	in.files = said("s3://b/other", 7);
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.files.access_key), "key");
	CHECK_STR(ark_str_z(w.files.endpoint), "minio:9000");
	mm_where_release(&w);
	in.files = said("s3://else", 7);
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK_STR(ark_str_z(w.files.access_key), "");
}

static void configuration_in_a_database(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_where_release) struct mm_where w = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_fresh("configuration");
	CHECK_OK(db_exec(c, "CREATE TABLE configurations (id varchar(26) PRIMARY KEY, value text,"
	                    " createat bigint, active boolean UNIQUE, sha char(64));"
	                    "INSERT INTO configurations VALUES ('old', '{}', 1, NULL, ''), ('new',"
	                    " '{\"SqlSettings\": {\"DataSource\": \"postgres://u:p@chat/d\"},"
	                    " \"FileSettings\": {\"Directory\": \"./data\"}}', 2, true, '')", &err));
	char name[300];
	snprintf(name, sizeof(name), "postgres://postgres@/configuration?sslmode=disable&host=%.*s",
	         ARK_FMT(db_host(c)));
	struct mm_where_input in = nowhere();
	in.config = said(name, 7);
	CHECK_OK(mm_where_find(&in, &w, &err));
	CHECK(w.dsn != NULL && strstr(w.dsn, "host=chat") != NULL);
	CHECK(w.config != NULL && strstr(w.config_origin, "'configuration'") != NULL);
	CHECK(w.files.kind == MM_FILES_NONE && strstr(w.files.problem, "relative") != NULL);
	mm_where_release(&w);
	CHECK_OK(db_exec(c, "UPDATE configurations SET active = NULL", &err));
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_MISSING);
	mm_where_release(&w);
	CHECK_OK(db_exec(c, "DROP TABLE configurations", &err));
	CHECK(mm_where_find(&in, &w, &err) == ARK_FAIL && err.kind == ARK_KIND_DB);
}

int main(void)
{
	(void)pg_dsn();
	unsetenv("PGSSLMODE");
	unsetenv("PGHOST");
	snprintf(base, sizeof(base), "/tmp/ark-where.XXXXXX");
	if (mkdtemp(base) == NULL)
		return 1;
	TAP_RUN(nothing_is_said);
	TAP_RUN(what_is_said_wins_as_a_whole);
	TAP_RUN(environment_as_mattermost_reads_it);
	TAP_RUN(configuration_files);
	TAP_RUN(what_a_configuration_may_get_wrong);
	TAP_RUN(file_stores_that_are_named);
	TAP_RUN(configuration_in_a_database);
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", base);
	(void)!system(command);
	return tap_done();
}
