/* What keys do: rows are followed by identity, questions are about objects and not about rows, prompts and menus take keys and give them back. */
#include "cli/tui/terms.h"
#include "tests/unit/test.h"
#include "tests/unit/tui/scene.h"

/* What the outside was asked for. */
struct asked {
	int quits, events;
	char *logs, *why, *shell, *command, *completed, *saved_key, *saved_value;
	struct tui_action action;
	bool events_wanted;
};

static void set(char **slot, const char *text)
{
	free(*slot);
	*slot = stint_strdup(text);
}

static void ask_why(void *user, const char *project, const char *name)
{
	(void)project;
	set(&((struct asked *)user)->why, name);
}

static void follow_logs(void *user, const struct tui_about *workload)
{
	set(&((struct asked *)user)->logs, workload ? workload->name : NULL);
}

static void act(void *user, const struct tui_action *action)
{
	struct asked *asked = user;
	tui_action_free(&asked->action);
	asked->action = (struct tui_action){.act = action->act, .count = action->count};
	asked->action.items = stint_alloc((action->count + 1) * sizeof *asked->action.items);
	for (size_t at = 0; at < action->count; at++)
		tui_about_copy(&asked->action.items[at], &action->items[at]);
}

static void open_shell(void *user, const struct tui_about *workload)
{
	set(&((struct asked *)user)->shell, workload->name);
}

static void command(void *user, const char *line)
{
	set(&((struct asked *)user)->command, line);
}

static void complete(void *user, const char *line)
{
	set(&((struct asked *)user)->completed, line);
}

static void want_events(void *user, bool wanted)
{
	((struct asked *)user)->events_wanted = wanted;
}

static bool save(void *user, const char *key, const char *value, struct stint_error **err)
{
	(void)err;
	set(&((struct asked *)user)->saved_key, key);
	set(&((struct asked *)user)->saved_value, value);
	return true;
}

static void quit(void *user)
{
	((struct asked *)user)->quits++;
}

struct stage {
	struct scene scene;
	struct asked asked;
	struct tui_app *app;
	struct tui_cells cells;
};

static void show(struct stage *stage)
{
	tui_app_draw(stage->app, &stage->cells, 120, 40, SCENE_NOW_MS);
}

static void renew(struct stage *stage)
{
	tui_app_world(stage->app, scene_world(&stage->scene), SCENE_NOW_MS);
	show(stage);
}

static int open_stage(void **state)
{
	struct stage *stage = stint_alloc(sizeof *stage);
	const struct tui_settings settings = {.utf8 = true, .frames = 20};
	const struct tui_outside outside = {.ask_why = ask_why,
		.follow_logs = follow_logs,
		.act = act,
		.shell = open_shell,
		.command = command,
		.complete = complete,
		.want_events = want_events,
		.save = save,
		.quit = quit,
		.user = &stage->asked};
	scene_open(&stage->scene);
	scene_fill(&stage->scene);
	stage->app = tui_app_new(&settings, &outside);
	tui_app_show(stage->app, TUI_WORKLOADS);
	renew(stage);
	*state = stage;
	return 0;
}

static int close_stage(void **state)
{
	struct stage *stage = *state;
	tui_app_free(stage->app);
	scene_close(&stage->scene);
	tui_cells_free(&stage->cells);
	tui_action_free(&stage->asked.action);
	free(stage->asked.logs);
	free(stage->asked.why);
	free(stage->asked.shell);
	free(stage->asked.command);
	free(stage->asked.completed);
	free(stage->asked.saved_key);
	free(stage->asked.saved_value);
	free(stage);
	return 0;
}

static void press(struct stage *stage, uint32_t key)
{
	tui_app_key(stage->app, key, 0, 0, SCENE_NOW_MS);
	show(stage);
}

static void type(struct stage *stage, const char *keys)
{
	for (; *keys; keys++)
		press(stage, (uint32_t)*keys);
}

static const char *under_cursor(struct stage *stage)
{
	const struct stint_workload *workload = tui_list_item(tui_app_list(stage->app));
	return workload ? workload->name : NULL;
}

static bool shows(const struct stage *stage, const char *words)
{
	stint_auto_buf text = {0};
	tui_print(&stage->cells, TUI_DARK, TUI_MONO, &text);
	return strstr(text.data, words) != NULL;
}

static void go_to(struct stage *stage, const char *name)
{
	press(stage, TUI_KEY_HOME);
	for (size_t at = 0; at < tui_app_list(stage->app)->count && strcmp(under_cursor(stage), name) != 0; at++)
		press(stage, 'j');
	assert_string_equal(under_cursor(stage), name);
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------------- */

static void test_the_cursor_stays_on_its_object_when_rows_come_and_go(void **state)
{
	struct stage *stage = *state;
	go_to(stage, "chat-eval");
	const size_t line = tui_app_list(stage->app)->cursor - tui_app_list(stage->app)->top;
	scene_job(&stage->scene, "nlp", "aaa-first", "1m", "8", 1, .reason = "NoRoom: none");
	scene_job(&stage->scene, "nlp", "aab-second", "1m", "8", 1, .reason = "NoRoom: none");
	renew(stage);
	assert_string_equal(under_cursor(stage), "chat-eval");
	scene_remove(&stage->scene, &stage->scene.owners, "mixtral-sft");
	scene_remove(&stage->scene, &stage->scene.pods, "mixtral-sft-0");
	scene_remove(&stage->scene, &stage->scene.pods, "mixtral-sft-1");
	renew(stage);
	assert_string_equal(under_cursor(stage), "chat-eval");
	(void)line;
}

static void test_when_its_object_has_gone_the_cursor_stays_on_the_line(void **state)
{
	struct stage *stage = *state;
	go_to(stage, "mixtral-sft");
	const size_t line = tui_app_list(stage->app)->cursor;
	scene_remove(&stage->scene, &stage->scene.owners, "mixtral-sft");
	scene_remove(&stage->scene, &stage->scene.pods, "mixtral-sft-0");
	scene_remove(&stage->scene, &stage->scene.pods, "mixtral-sft-1");
	renew(stage);
	assert_int_equal(tui_app_list(stage->app)->cursor, line);
	assert_string_not_equal(under_cursor(stage), "mixtral-sft");
}

static void test_until_it_is_moved_the_cursor_stays_at_the_top(void **state)
{
	struct stage *stage = *state;
	assert_string_equal(under_cursor(stage), "oom-repro");
	scene_job(&stage->scene, "nlp", "aaa-failed", "1m", "1", 1, .places = PLACES("gpu-2/6"), .state = "Failed");
	renew(stage);
	assert_int_equal(tui_app_list(stage->app)->cursor, 0);
	assert_string_equal(under_cursor(stage), "aaa-failed");
}

static void test_unknown_amounts_come_last_in_either_order(void **state)
{
	struct stage *stage = *state;
	press(stage, '3');
	struct tui_list *list = tui_app_list(stage->app);
	list->sort = tui_list_column(list->kind, "use");
	for (int reverse = 0; reverse < 2; reverse++) {
		list->reverse = reverse;
		tui_list_refresh(list, &stage->app->now);
		const struct stint_node_use *last = list->rows[list->count - 1], *first = list->rows[0];
		assert_true(last->util_percent < 0);
		assert_true(first->util_percent >= 0);
	}
}

/* ---- filters ----------------------------------------------------------------------------------------------------------------------- */

static size_t filtered(struct stage *stage, const char *filter)
{
	struct tui_list *list = tui_app_list(stage->app);
	assert_works(tui_list_filter(list, filter, &err));
	tui_list_refresh(list, &stage->app->now);
	return list->count;
}

static void test_filters(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *filter;
		size_t rows;
	} cases[] = {
		{"", 12},
		{"embed", 2},
		{"EMBED", 2},
		{"embed embed-b", 1}, /* both words */
		{"!embed", 10},
		{"state=running", 6},
		{"state!=running", 6},
		{"project=nlp", 4},
		{"project=nlp state=pending", 1},
		{"team=vision", 4}, /* a label */
		{"team=visio", 0}, /* of labels, all of it */
		{"gpus=128", 1},
		{"noroom", 1},
		{"pending", 3}, /* a state */
		{"!failed", 11},
		{"train", 1}, /* a name; that all of them are trainings is asked for by name */
		{"type=training", 12},
		{"gpu-", 0},
		{"node=gpu-1", 1},
		{"-l team in (nlp,search)", 8},
		{"embed -l team=search", 2},
		{"embed -l team=nlp", 0},
		{"nosuchcolumn=x", 0},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		if (filtered(stage, cases[at].filter) != cases[at].rows)
			fail_msg("\"%s\": %zu rows, not %zu", cases[at].filter, tui_app_list(stage->app)->count, cases[at].rows);
	}
	assert_fails(tui_list_filter(tui_app_list(stage->app), "-l a in (", &err), STINT_USAGE, "selector");
}

static void test_a_filter_works_while_it_is_typed_and_esc_brings_the_former_back(void **state)
{
	struct stage *stage = *state;
	type(stage, "/emb");
	assert_int_equal(tui_app_list(stage->app)->count, 2);
	press(stage, TUI_KEY_ESCAPE);
	assert_int_equal(tui_app_list(stage->app)->count, 12);
	type(stage, "/emb\r");
	assert_int_equal(tui_app_list(stage->app)->count, 2);
	type(stage, "/xyz");
	assert_int_equal(tui_app_list(stage->app)->count, 0);
	press(stage, TUI_KEY_ESCAPE);
	assert_int_equal(tui_app_list(stage->app)->count, 2);
	press(stage, TUI_KEY_ESCAPE);
	assert_int_equal(tui_app_list(stage->app)->count, 12);
}

static void test_plain_words_look_at_what_is_asked_for_first(void **state)
{
	struct stage *stage = *state;
	static const struct {
		char view;
		const char *filter;
		size_t rows;
	} cases[] = {{'3', "notready", 1}, {'3', "cordoned", 1}, {'6', "warning", 2}, {'7', "pending", 2}, {'7', "gone", 0}};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		press(stage, (uint32_t)cases[at].view);
		if (filtered(stage, cases[at].filter) != cases[at].rows)
			fail_msg("%c /%s: %zu rows, not %zu", cases[at].view, cases[at].filter, tui_app_list(stage->app)->count,
				cases[at].rows);
	}
}

static void test_a_filter_that_cannot_mean_what_was_typed_says_so(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *filter, *doubt;
	} cases[] = {{"foo=bar", "no column \"foo\""}, {"foo!=bar", "no column \"foo\""}, {"gpus>1", "\">\""}, {"gpus>=1", "\">\""},
		{"name=u*", "\"*\""}, {"nothing-like-it", NULL}, {"name=nothing", NULL}, {"team=nobody", NULL}, {"state=running", NULL}};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		filtered(stage, cases[at].filter);
		const char *doubt = tui_app_list(stage->app)->doubt;
		if (!doubt != !cases[at].doubt || (doubt && !strstr(doubt, cases[at].doubt)))
			fail_msg("\"%s\" is doubted: %s", cases[at].filter, doubt ? doubt : "no");
	}
	filtered(stage, "");
	assert_null(tui_app_list(stage->app)->doubt);
	type(stage, "/foo!=bar\r");
	assert_true(shows(stage, "there is no column \"foo\", and no row has a label of that name"));
}

static void test_esc_that_takes_a_filter_away_leaves_the_cursor_on_its_row(void **state)
{
	struct stage *stage = *state;
	type(stage, "/unet\r");
	assert_string_equal(under_cursor(stage), "unet-3d");
	press(stage, TUI_KEY_ESCAPE);
	assert_int_equal(tui_app_list(stage->app)->count, 12);
	assert_string_equal(under_cursor(stage), "unet-3d");
	type(stage, "dy");
	assert_string_equal(stage->asked.action.items[0].name, "unet-3d");
	/* Of a filter that matched nothing, nothing is to be kept. */
	press(stage, TUI_KEY_HOME);
	type(stage, "/nothing-like-it\r");
	press(stage, TUI_KEY_ESCAPE);
	assert_int_equal(tui_app_list(stage->app)->cursor, 0);
	assert_false(tui_app_list(stage->app)->moved);
}

/* ---- details --------------------------------------------------------------------------------------------------------------------- */

static void test_the_detail_has_the_priority_class_that_counts(void **state)
{
	struct stage *stage = *state;
	scene_add(&stage->scene, &stage->scene.owners, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"name\":\"raised\",\"namespace\":\"nlp\",\"uid\":\"job-raised\",\"labels\":{\"stint.dev/"
		"type\":\"training\","
		"\"priorityClassName\":\"build-preemptible\"}},\"spec\":{\"suspend\":true,\"template\":{\"spec\":{\"schedulerName\":"
		"\"stint-scheduler\",\"priorityClassName\":\"train\",\"containers\":[{\"name\":\"c\"}]}}}}");
	renew(stage);
	go_to(stage, "raised");
	press(stage, TUI_KEY_ENTER);
	assert_true(shows(stage, "build-preemptible (its label priorityClassName)"));
	press(stage, TUI_KEY_ESCAPE);
	go_to(stage, "paused");
	press(stage, TUI_KEY_ENTER);
	assert_true(shows(stage, "train"));
	assert_false(shows(stage, "its label"));
}

/* ---- questions --------------------------------------------------------------------------------------------------------------------- */

static void test_what_was_asked_about_is_acted_on_when_rows_move_meanwhile(void **state)
{
	struct stage *stage = *state;
	go_to(stage, "reindex");
	press(stage, 'd');
	assert_true(shows(stage, "Job search/reindex"));
	scene_job(&stage->scene, "nlp", "aaa-first", "1m", "8", 1, .reason = "NoRoom: none");
	scene_remove(&stage->scene, &stage->scene.owners, "oom-repro");
	scene_remove(&stage->scene, &stage->scene.pods, "oom-repro-0");
	renew(stage);
	assert_true(shows(stage, "Job search/reindex"));
	press(stage, 'y');
	assert_int_equal(stage->asked.action.count, 1);
	assert_int_equal(stage->asked.action.act, TUI_ACT_DELETE);
	assert_string_equal(stage->asked.action.items[0].name, "reindex");
}

static void test_what_has_gone_while_the_question_was_open_is_said_and_left_alone(void **state)
{
	struct stage *stage = *state;
	go_to(stage, "oom-repro");
	press(stage, 'd');
	scene_remove(&stage->scene, &stage->scene.owners, "oom-repro");
	scene_remove(&stage->scene, &stage->scene.pods, "oom-repro-0");
	/* Another of the same name is another one. */
	scene_job(&stage->scene, "search", "oom-repro", "1s", "1", 1, .reason = "NoRoom: none");
	renew(stage);
	assert_true(shows(stage, "has gone meanwhile"));
	press(stage, 'y');
	assert_int_equal(stage->asked.action.count, 0);
	assert_true(shows(stage, "nothing was done"));
}

static void test_no_and_other_keys_change_nothing(void **state)
{
	struct stage *stage = *state;
	static const uint32_t refusals[] = {'n', TUI_KEY_ESCAPE, TUI_KEY_ENTER};
	for (size_t at = 0; at < STINT_COUNT(refusals); at++) {
		press(stage, 'd');
		press(stage, 'j');
		assert_true(stage->app->asking);
		press(stage, refusals[at]);
		assert_false(stage->app->asking);
	}
	assert_int_equal(stage->asked.action.count, 0);
}

static void test_marks_are_acted_on_together_and_forgotten(void **state)
{
	struct stage *stage = *state;
	go_to(stage, "embed-a");
	press(stage, ' ');
	press(stage, ' '); /* the cursor went on to the next */
	press(stage, 'S');
	assert_true(shows(stage, "Suspend these 2 workloads?"));
	press(stage, 'y');
	assert_int_equal(stage->asked.action.count, 2);
	assert_int_equal(stage->asked.action.act, TUI_ACT_SUSPEND);
	assert_int_equal(stint_map_count(tui_app_list(stage->app)->marks), 0);
}

static void test_actions_are_for_workloads(void **state)
{
	struct stage *stage = *state;
	press(stage, '3');
	press(stage, 'd');
	assert_false(stage->app->asking);
	press(stage, '5');
	press(stage, '+');
	assert_true(stage->app->asking);
}

/* ---- views ------------------------------------------------------------------------------------------------------------------------- */

static void test_q_ends_it_from_every_view_and_menu_but_not_while_text_is_typed(void **state)
{
	struct stage *stage = *state;
	static const char *const ways[] = {"1", "2", "3", "4", "5", "6", "?", "2\r", "2y", "2l", "2s", "2c", "2d", "3\r", "4\r", "6\r"};
	for (size_t at = 0; at < STINT_COUNT(ways); at++) {
		const int before = stage->asked.quits;
		type(stage, ways[at]);
		press(stage, 'q');
		assert_int_equal(stage->asked.quits, before + 1);
		for (int i = 0; i < 5; i++)
			press(stage, TUI_KEY_ESCAPE);
	}
	const int before = stage->asked.quits;
	type(stage, "2/q");
	press(stage, TUI_KEY_ESCAPE);
	type(stage, ":q");
	assert_int_equal(stage->asked.quits, before);
	press(stage, TUI_KEY_ENTER); /* the command q */
	assert_int_equal(stage->asked.quits, before + 1);
}

static void test_esc_goes_one_step_back_and_the_cursor_is_where_it_was(void **state)
{
	struct stage *stage = *state;
	go_to(stage, "giant-moe");
	press(stage, TUI_KEY_ENTER);
	press(stage, 'y');
	press(stage, 'l');
	assert_string_equal(stage->asked.why, "giant-moe");
	assert_string_equal(stage->asked.logs, "giant-moe");
	assert_int_equal(stage->app->depth, 3);
	press(stage, TUI_KEY_ESCAPE);
	assert_null(stage->asked.logs); /* nobody follows what nobody sees */
	press(stage, TUI_KEY_ESCAPE);
	press(stage, TUI_KEY_ESCAPE);
	assert_int_equal(stage->app->depth, 0);
	assert_string_equal(under_cursor(stage), "giant-moe");
}

static void test_tab_goes_round_and_back(void **state)
{
	struct stage *stage = *state;
	const enum tui_view_name start = stage->app->tab;
	for (int at = 0; at < TUI_TABS; at++)
		press(stage, TUI_KEY_TAB);
	assert_int_equal(stage->app->tab, start);
	press(stage, TUI_KEY_TAB);
	press(stage, TUI_KEY_BACKTAB);
	assert_int_equal(stage->app->tab, start);
}

static void test_events_are_wanted_only_while_somebody_looks(void **state)
{
	struct stage *stage = *state;
	assert_false(stage->asked.events_wanted);
	press(stage, '6');
	assert_true(stage->asked.events_wanted);
	press(stage, '2');
	assert_false(stage->asked.events_wanted);
	press(stage, TUI_KEY_ENTER);
	assert_true(stage->asked.events_wanted);
	press(stage, TUI_KEY_ESCAPE);
	assert_false(stage->asked.events_wanted);
}

static void test_what_is_not_known_is_not_shown_as_nothing(void **state)
{
	struct stage *stage = *state;
	stage->scene.hide_nodes = stage->scene.hide_queues = true;
	press(stage, '1');
	renew(stage);
	assert_true(shows(stage, "nodes may not be seen"));
	assert_false(shows(stage, "0 of 0"));
	assert_true(shows(stage, "21.3")); /* held, as the pods say */
	assert_false(shows(stage, "none held"));
	assert_true(shows(stage, "▒")); /* without its quota, nothing is beyond it */
	assert_false(shows(stage, "▓"));
	press(stage, '4');
	renew(stage);
	assert_true(shows(stage, "vision")); /* projects that workloads name */
	assert_true(shows(stage, "?"));
}

static void test_a_small_window_is_a_sentence(void **state)
{
	struct stage *stage = *state;
	static const int sizes[][2] = {{79, 24}, {80, 23}, {1, 1}, {10, 5}};
	for (size_t at = 0; at < STINT_COUNT(sizes); at++)
		tui_app_draw(stage->app, &stage->cells, sizes[at][0], sizes[at][1], SCENE_NOW_MS);
	tui_app_draw(stage->app, &stage->cells, 79, 24, SCENE_NOW_MS);
	assert_true(shows(stage, "The dashboard needs 80 x 24"));
	tui_app_draw(stage->app, &stage->cells, 40, 10, SCENE_NOW_MS);
	assert_true(shows(stage, "needs 80x24") && shows(stage, "is 40x10"));
}

static void test_every_view_can_be_drawn_at_any_size_and_without_a_world(void **state)
{
	struct stage *stage = *state;
	for (int world = 0; world < 2; world++) {
		for (int tab = 0; tab < TUI_TABS; tab++) {
			tui_app_show(stage->app, (enum tui_view_name)tab);
			for (int width = 80; width < 260; width += 23) {
				for (int height = 24; height < 90; height += 13)
					tui_app_draw(stage->app, &stage->cells, width, height, SCENE_NOW_MS);
			}
		}
		tui_app_world(stage->app, NULL, SCENE_NOW_MS);
		press(stage, 'j');
		press(stage, 'd');
		press(stage, TUI_KEY_ENTER);
	}
}

static void test_clicks_and_the_wheel(void **state)
{
	struct stage *stage = *state;
	tui_app_key(stage->app, TUI_KEY_CLICK, 5, 10, SCENE_NOW_MS);
	assert_int_equal(tui_app_list(stage->app)->cursor, 2);
	tui_app_key(stage->app, TUI_KEY_CLICK, 39, 10, SCENE_NOW_MS); /* below the last row */
	assert_int_equal(tui_app_list(stage->app)->cursor, 2);
	tui_app_key(stage->app, TUI_KEY_WHEEL_DOWN, 0, 0, SCENE_NOW_MS);
	assert_int_equal(tui_app_list(stage->app)->cursor, 5);
	tui_app_key(stage->app, TUI_KEY_CLICK, 0, 35, SCENE_NOW_MS);
	assert_int_equal(stage->app->tab, TUI_NODES);
	tui_app_key(stage->app, TUI_KEY_CLICK, 0, 1, SCENE_NOW_MS);
	tui_app_key(stage->app, TUI_KEY_CLICK, 0, 110, SCENE_NOW_MS);
	assert_int_equal(stage->app->tab, TUI_NODES);
}

/* ---- the command line -------------------------------------------------------------------------------------------------------------- */

static void test_the_command_line_has_history_and_editing(void **state)
{
	struct stage *stage = *state;
	type(stage, ":list -A\r");
	assert_string_equal(stage->asked.command, "list -A");
	type(stage, ":top nodes\r");
	press(stage, ':');
	press(stage, TUI_KEY_UP);
	press(stage, TUI_KEY_UP);
	press(stage, TUI_KEY_ENTER);
	assert_string_equal(stage->asked.command, "list -A");
	type(stage, ":lost");
	press(stage, TUI_KEY_LEFT);
	press(stage, TUI_KEY_LEFT);
	press(stage, TUI_KEY_BACKSPACE);
	type(stage, "i\r");
	assert_string_equal(stage->asked.command, "list");
	type(stage, ":two words");
	press(stage, 'W' - '@');
	type(stage, "more\r");
	assert_string_equal(stage->asked.command, "two more");
	press(stage, ':');
	press(stage, 0xfc);
	press(stage, TUI_KEY_BACKSPACE);
	type(stage, "x\r");
	assert_string_equal(stage->asked.command, "x");
}

static char **words_of(const char *text)
{
	return stint_split(text, " ");
}

static void test_completion(void **state)
{
	struct stage *stage = *state;
	type(stage, ":su\t");
	assert_string_equal(stage->asked.completed, "su");
	tui_app_choices(stage->app, "su", words_of("submit suspend"));
	assert_string_equal(stage->app->typed.data, "su");
	press(stage, TUI_KEY_TAB);
	assert_string_equal(stage->app->typed.data, "submit");
	press(stage, TUI_KEY_TAB);
	assert_string_equal(stage->app->typed.data, "suspend");
	type(stage, " ");
	tui_app_choices(stage->app, "su", words_of("late answer")); /* for what stood there before */
	assert_string_equal(stage->app->typed.data, "suspend ");
	press(stage, TUI_KEY_TAB);
	tui_app_choices(stage->app, "suspend ", words_of("train-17"));
	assert_string_equal(stage->app->typed.data, "suspend train-17 ");
}

static void test_settings_from_inside_are_checked_used_and_kept(void **state)
{
	struct stage *stage = *state;
	type(stage, ":set theme light\r");
	assert_int_equal(stage->app->settings.theme, TUI_LIGHT);
	assert_string_equal(stage->asked.saved_key, "dashboard-theme");
	assert_string_equal(stage->asked.saved_value, "light");
	type(stage, ":set theme pink\r");
	assert_true(shows(stage, "dark or light"));
	assert_int_equal(stage->app->settings.theme, TUI_LIGHT);
	type(stage, ":set keys delete=x\r");
	press(stage, 'd');
	assert_false(stage->app->asking);
	press(stage, 'x');
	assert_true(stage->app->asking);
	press(stage, 'n');
	type(stage, ":set columns name,gpus\r");
	assert_true(stage->app->lists[TUI_WORKLOADS].hidden[tui_list_column(tui_view_workloads.list, "state")]);
	type(stage, ":set columns name,shoesize\r");
	assert_true(shows(stage, "no column \"shoesize\""));
	type(stage, ":set gravity 9.81\r");
	assert_true(shows(stage, "there is no setting"));
}

static void test_columns_chosen_in_the_menu_are_kept(void **state)
{
	struct stage *stage = *state;
	type(stage, "cj "); /* takes the second, the project, away */
	press(stage, TUI_KEY_ESCAPE);
	assert_string_equal(stage->asked.saved_key, "dashboard-columns");
	assert_non_null(strstr(stage->asked.saved_value, "workloads:name,state,"));
	assert_false(shows(stage, "PROJECT"));
}

static void test_sorting_by_menu_and_again_the_other_way(void **state)
{
	struct stage *stage = *state;
	type(stage, "sjjj\r"); /* the fourth: GPUs, the largest first */
	assert_string_equal(under_cursor(stage), "giant-moe");
	type(stage, "s\r");
	press(stage, TUI_KEY_HOME);
	assert_string_not_equal(under_cursor(stage), "giant-moe");
}

static void test_help_and_manual_say_what_each_tile_and_share_means(void **state)
{
	struct stage *stage = *state;
	stint_autofree char *manual = tui_terms_manual();
	type(stage, "?");
	press(stage, TUI_KEY_END);
	for (int at = 0; at < TUI_TERM_COUNT; at++) {
		stint_autofree char *row = stint_format("%-12s %s", tui_term_rows[at].title, tui_term_rows[at].meaning);
		assert_true(shows(stage, row));
		assert_non_null(strstr(manual, row));
	}
	/* The words are those of the screens. */
	type(stage, "1");
	for (int at = 0; at <= TUI_TERM_WAITING; at++)
		assert_true(shows(stage, tui_term_rows[at].title));
	type(stage, "4");
	for (int at = TUI_TERM_FAIR; at <= TUI_TERM_LENT; at++)
		assert_true(shows(stage, tui_term_rows[at].title));
}

static void test_that_no_scheduler_works_stands_on_every_screen(void **state)
{
	struct stage *stage = *state;
	static const char words[] = "no scheduler works: pod-7 holds the Lease";
	assert_false(shows(stage, words));
	stage->app->health.scheduler = stint_format("%s", words);
	stage->app->health.hidden = stint_strdup("hidden: queues");
	for (const char *keys = "1234567?"; *keys; keys++) {
		press(stage, (uint32_t)*keys);
		assert_true(shows(stage, words));
		assert_true(shows(stage, "hidden: queues"));
	}
	type(stage, "2/llama");
	assert_true(shows(stage, words) && shows(stage, "filter llama")); /* what is typed meanwhile stays */
	tui_app_draw(stage->app, &stage->cells, 80, 24, SCENE_NOW_MS);
	assert_true(shows(stage, "no scheduler works"));
	/* Whoever hears nothing does not know it. */
	stage->app->health.lost_ms = SCENE_NOW_MS - 30000;
	show(stage);
	assert_false(shows(stage, words));
}

/* Each row that is seen and could start, once in a while, and none that is not seen. */
static void test_starts_are_asked_for_rows_on_the_screen_and_not_too_often(void **state)
{
	struct stage *stage = *state;
	for (int at = 0; at < 100; at++) {
		stint_autofree char *name = stint_format("waits-%02d", at);
		scene_job(&stage->scene, "nlp", name, "1m", "8", 1, .reason = "NoRoom: none");
	}
	renew(stage);
	assert_null(tui_app_next_start(stage->app, SCENE_NOW_MS)); /* workloads are shown */
	type(stage, "5");
	show(stage);
	int asked = 0;
	const struct stint_workload *first = NULL;
	for (const struct stint_workload *next; (next = tui_app_next_start(stage->app, SCENE_NOW_MS + asked)); asked++) {
		first = first ? first : next;
		assert_string_not_equal(next->name, "giant-moe"); /* it never fits */
		assert_int_equal(tui_starts_asked(&stage->app->starts, next->uid), -1);
		tui_starts_ask(&stage->app->starts, next->uid, SCENE_NOW_MS + asked);
	}
	assert_in_range(asked, 30, 36); /* of 102 */
	assert_null(tui_app_next_start(stage->app, SCENE_NOW_MS + TUI_STARTS_AGAIN_MS - 1));
	const struct stint_workload *again = tui_app_next_start(stage->app, SCENE_NOW_MS + TUI_STARTS_AGAIN_MS + 5);
	assert_ptr_equal(again, first);
	tui_starts_answer(&stage->app->starts, first->uid, SCENE_NOW_MS + 5400000, SCENE_NOW_MS);
	show(stage);
	assert_true(shows(stage, "  90m  "));
	/* What was true long ago is not known any more. */
	assert_int_equal(tui_starts_at(&stage->app->starts, first->uid, SCENE_NOW_MS + TUI_STARTS_HOLDS_MS + 1), -1);
	press(stage, TUI_KEY_ENTER); /* a text above it */
	assert_null(tui_app_next_start(stage->app, SCENE_NOW_MS + 10 * TUI_STARTS_AGAIN_MS));
}

static void test_the_output_of_a_command_goes_to_its_screen_whatever_is_on_top(void **state)
{
	struct stage *stage = *state;
	tui_app_output_open(stage->app, "events -w");
	tui_app_output(stage->app, "events -w", "the first words");
	show(stage);
	assert_true(shows(stage, "the first words"));
	press(stage, '?');
	tui_app_output(stage->app, "events -w", "and later ones");
	show(stage);
	assert_int_equal(tui_app_screen(stage->app)->view, TUI_HELP);
	press(stage, TUI_KEY_ESCAPE);
	assert_true(shows(stage, "Output of events -w") && shows(stage, "and later ones"));
	press(stage, TUI_KEY_ESCAPE);
	tui_app_output(stage->app, "events -w", "nobody looks at these"); /* its screen has gone */
	show(stage);
	assert_null(tui_app_screen(stage->app));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_starts_are_asked_for_rows_on_the_screen_and_not_too_often),
		TEST(test_that_no_scheduler_works_stands_on_every_screen),
		TEST(test_help_and_manual_say_what_each_tile_and_share_means),
		TEST(test_the_cursor_stays_on_its_object_when_rows_come_and_go),
		TEST(test_when_its_object_has_gone_the_cursor_stays_on_the_line),
		TEST(test_until_it_is_moved_the_cursor_stays_at_the_top),
		TEST(test_unknown_amounts_come_last_in_either_order),
		TEST(test_filters),
		TEST(test_a_filter_works_while_it_is_typed_and_esc_brings_the_former_back),
		TEST(test_plain_words_look_at_what_is_asked_for_first),
		TEST(test_a_filter_that_cannot_mean_what_was_typed_says_so),
		TEST(test_the_detail_has_the_priority_class_that_counts),
		TEST(test_esc_that_takes_a_filter_away_leaves_the_cursor_on_its_row),
		TEST(test_what_was_asked_about_is_acted_on_when_rows_move_meanwhile),
		TEST(test_what_has_gone_while_the_question_was_open_is_said_and_left_alone),
		TEST(test_no_and_other_keys_change_nothing),
		TEST(test_marks_are_acted_on_together_and_forgotten),
		TEST(test_actions_are_for_workloads),
		TEST(test_q_ends_it_from_every_view_and_menu_but_not_while_text_is_typed),
		TEST(test_esc_goes_one_step_back_and_the_cursor_is_where_it_was),
		TEST(test_tab_goes_round_and_back),
		TEST(test_events_are_wanted_only_while_somebody_looks),
		TEST(test_what_is_not_known_is_not_shown_as_nothing),
		TEST(test_a_small_window_is_a_sentence),
		TEST(test_every_view_can_be_drawn_at_any_size_and_without_a_world),
		TEST(test_clicks_and_the_wheel),
		TEST(test_the_command_line_has_history_and_editing),
		TEST(test_completion),
		TEST(test_settings_from_inside_are_checked_used_and_kept),
		TEST(test_columns_chosen_in_the_menu_are_kept),
		TEST(test_sorting_by_menu_and_again_the_other_way),
		TEST(test_the_output_of_a_command_goes_to_its_screen_whatever_is_on_top),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
