/*
 * Golden screens: every view of a cluster that stands still, at three sizes, in ASCII without colours and in UTF-8 with 256, must look as it did
 * when somebody looked at it last. `tests/unit/tui/golden` has the pictures; with STINT_GOLDEN=write the program makes them anew instead.
 */
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/tui/scene.h"

static const struct size {
	int width, height;
} sizes[] = {{80, 24}, {120, 40}, {200, 60}};

/* The source tree, from where this program was built: ROOT/build/... */
static char *path_of(const char *name, int width, int height, bool utf8, enum tui_depth depth)
{
	static const char *const depths[] = {"mono", "16", "256"};
	char self[4096];
	const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	assert_true(length > 0);
	self[length] = '\0';
	char *build = NULL;
	for (char *at = self; (at = strstr(at, "/build/")); at++)
		build = at;
	assert_non_null(build);
	*build = '\0';
	return stint_format(
		"%s/tests/unit/tui/golden/%s-%dx%d-%s-%s.txt", self, name, width, height, utf8 ? "utf8" : "ascii", depths[depth]);
}

static void compare(const char *name, const struct tui_cells *cells, enum tui_theme theme, enum tui_depth depth)
{
	stint_auto_buf text = {0}, golden = {0};
	const char *mode = getenv("STINT_GOLDEN");
	stint_autofree char *path = path_of(name, cells->width, cells->height, cells->utf8, depth);
	tui_print(cells, theme, depth, &text);
	if (mode && strcmp(mode, "write") == 0) {
		assert_works(stint_file_write(path, text.data, text.length, 0644, &err));
		return;
	}
	assert_works(stint_buf_read_file(&golden, path, 1024 * 1024, &err));
	if (golden.length != text.length || memcmp(golden.data, text.data, text.length) != 0)
		fail_msg("%s is another picture; now:\n%s\nLook at it, and if it is better: STINT_GOLDEN=write %s", path, text.data,
			"build/release/tests/unit/tui/test_golden");
}

struct stage {
	struct scene scene;
	struct tui_app *app;
};

static void open_stage(struct stage *stage, bool utf8)
{
	const struct tui_settings settings = {.utf8 = utf8, .frames = 20};
	const struct tui_outside nobody = {0};
	scene_open(&stage->scene);
	scene_fill(&stage->scene);
	stage->app = tui_app_new(&settings, &nobody);
	stage->app->place = stint_strdup("production");
	tui_app_world(stage->app, scene_world(&stage->scene), SCENE_NOW_MS);
}

static void close_stage(struct stage *stage)
{
	tui_app_free(stage->app);
	scene_close(&stage->scene);
}

/* The pictures that matter most in the other charsets and colours as well, and on a light background. */
static void check_colours(const char *name, struct tui_app *app, struct tui_cells *cells)
{
	static const struct {
		bool utf8;
		enum tui_depth depth;
	} more[] = {{true, TUI_MONO}, {false, TUI_16}, {false, TUI_256}, {true, TUI_16}};
	for (size_t at = 0; at < STINT_COUNT(more); at++) {
		app->settings.utf8 = more[at].utf8;
		tui_app_draw(app, cells, 80, 24, SCENE_NOW_MS);
		compare(name, cells, TUI_DARK, more[at].depth);
	}
	stint_autofree char *light = stint_format("%s-light", name);
	app->settings.utf8 = true;
	tui_app_draw(app, cells, 80, 24, SCENE_NOW_MS);
	compare(light, cells, TUI_LIGHT, TUI_256);
	compare(light, cells, TUI_LIGHT, TUI_16);
}

/* Draws after `prepare` has brought the app to the view. */
static void check(const char *name, void (*prepare)(struct tui_app *app))
{
	for (size_t size = 0; size < STINT_COUNT(sizes); size++) {
		for (int utf8 = 0; utf8 < 2; utf8++) {
			struct stage stage;
			struct tui_cells cells = {0};
			open_stage(&stage, utf8);
			/* Twice, because the window's size is known after the first time. */
			tui_app_draw(stage.app, &cells, sizes[size].width, sizes[size].height, SCENE_NOW_MS);
			prepare(stage.app);
			tui_app_draw(stage.app, &cells, sizes[size].width, sizes[size].height, SCENE_NOW_MS);
			compare(name, &cells, TUI_DARK, utf8 ? TUI_256 : TUI_MONO);
			if (size == 0 && utf8 && (strcmp(name, "overview") == 0 || strcmp(name, "workloads") == 0))
				check_colours(name, stage.app, &cells);
			tui_cells_free(&cells);
			close_stage(&stage);
		}
	}
}

static void type(struct tui_app *app, const char *keys)
{
	for (; *keys; keys++)
		tui_app_key(app, (uint32_t)*keys, 0, 0, SCENE_NOW_MS);
}

#define PICTURE(name, ...)                              \
	static void prepare_##name(struct tui_app *app) \
	{                                               \
		__VA_ARGS__;                            \
	}                                               \
	static void test_##name(void **state)           \
	{                                               \
		(void)state;                            \
		check(#name, prepare_##name);           \
	}

PICTURE(overview, tui_app_show(app, TUI_OVERVIEW))
PICTURE(workloads, tui_app_show(app, TUI_WORKLOADS))
PICTURE(nodes, tui_app_show(app, TUI_NODES))
PICTURE(projects, tui_app_show(app, TUI_PROJECTS_VIEW))
static void know_a_start(struct tui_app *app)
{
	const char *uid = app->now.world->waiting[1].workload->uid;
	tui_starts_ask(&app->starts, uid, SCENE_NOW_MS);
	tui_starts_answer(&app->starts, uid, SCENE_NOW_MS + 95 * 60000, SCENE_NOW_MS);
}

PICTURE(queue, tui_app_show(app, TUI_QUEUE); know_a_start(app))
PICTURE(events, tui_app_show(app, TUI_EVENTS))
PICTURE(evicted, tui_app_show(app, TUI_EVICTED))
PICTURE(detail_of_a_victim, type(app, "7j\r"))
PICTURE(help, type(app, "?"))
PICTURE(filter, type(app, "2/state=pending"))
PICTURE(marks_and_question, type(app, "2jj  d"))
PICTURE(detail_of_a_workload, type(app, "2j\r"))
PICTURE(detail_of_a_node, type(app, "3jj\r"))
PICTURE(columns, type(app, "2c"))

static void prepare_why(struct tui_app *app)
{
	static const char record[] =
		"{\"kind\":\"Why\",\"project\":\"vision\",\"workload\":\"giant-moe\",\"phase\":\"Waiting\",\"reason\":\"GangNeverFits\","
		"\"never\":true,"
		"\"message\":\"the whole cluster has room for 5 of the 16 pods that must start "
		"together\",\"queue\":\"vision\",\"position\":1,"
		"\"waiting_in_queue\":1,\"since\":\"2026-11-24T10:00:00Z\",\"holders\":[{\"project\":\"nlp\",\"workload\":\"llama-70b-"
		"pretrain\",\"gpus\":8,"
		"\"pods\":1,\"ends_in_s\":5400},{\"project\":\"another "
		"project\",\"gpus\":4.5,\"pods\":3,\"leaving\":true}],\"holders_total\":3,"
		"\"changes\":[{\"text\":\"ask for 5 pods or less\"},{\"text\":\"add 11 nodes of 8 GPUs\"}],\"source\":\"stint-scheduler\"}";
	type(app, "2jjjy");
	struct stint_json *json = stint_json_parse(record, strlen(record), 0, NULL);
	const struct tui_screen *screen = tui_app_screen(app);
	tui_app_why(app, screen->about.space, screen->about.name, json, NULL);
}

static void test_why(void **state)
{
	(void)state;
	check("why", prepare_why);
}

static void prepare_logs(struct tui_app *app)
{
	type(app, "2l");
	for (int line = 0; line < 100; line++) {
		stint_autofree char *text = stint_format(
			"step %d loss %.3f grad_norm %.2f lr 3.0e-4 tokens/s %d", line, 4.0 / (line + 1), 1.0 + line % 7, 41000 + line);
		tui_log_add(&app->log, line % 2 ? "rank-1" : "rank-0", (enum tui_role)(TUI_PROJECT + line % 2), text, strlen(text));
	}
	type(app, "/step 7");
}

static void test_logs(void **state)
{
	(void)state;
	check("logs", prepare_logs);
}

static void prepare_lost(struct tui_app *app)
{
	tui_app_show(app, TUI_WORKLOADS);
	app->health.lost_ms = SCENE_NOW_MS - 42000;
	app->health.problem = stint_strdup("connection refused by 10.0.0.1:6443");
}

static void test_a_lost_server(void **state)
{
	(void)state;
	check("lost", prepare_lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overview),
		cmocka_unit_test(test_workloads),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_projects),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_detail_of_a_victim),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_marks_and_question),
		cmocka_unit_test(test_detail_of_a_workload),
		cmocka_unit_test(test_detail_of_a_node),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_a_lost_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
