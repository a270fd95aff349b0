/*
 * What the dashboard costs in process, on 1,000 nodes and 13,000 pods of 2,600 Jobs: making a world, the first picture after the lists have
 * arrived, a frame of each view, a key. Times are processor time. Exit 1 when a bar is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/tui/scene.h"

enum { NODES = 1000, JOBS = 2600, PODS_EACH = 5, ROUNDS = 20 };

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static bool row(const char *what, double ms, double bar)
{
	printf("%-58s %11.2f ms  ", what, ms);
	if (bar > 0)
		printf("bar %.0f ms       %s\n", bar, ms < bar ? "kept" : "MISSED");
	else
		printf("bar -            kept\n");
	return bar <= 0 || ms < bar;
}

static void fill(struct scene *scene)
{
	for (int at = 0; at < NODES; at++) {
		stint_autofree char *name = stint_format("gpu-node-%d", at);
		scene_node(scene, name, 8, "Ready", false, "[90,80,70,60,50,40,30,20]");
	}
	for (int at = 0; at < 20; at++) {
		stint_autofree char *department = stint_format("department-%d", at / 5), *project = stint_format("project-%d", at);
		if (at % 5 == 0)
			scene_queue(scene, department, NULL, 2000, -1);
		scene_queue(scene, project, department, 400, -1);
	}
	for (int at = 0; at < JOBS; at++) {
		stint_autofree char *project = stint_format("project-%d", at % 20), *name = stint_format("train-%d", at);
		char *places[PODS_EACH + 1] = {NULL};
		for (int pod = 0; pod < PODS_EACH && at % 10; pod++)
			places[pod] = stint_format("gpu-node-%d/%d", (at * PODS_EACH + pod) % NODES, (at * PODS_EACH + pod) / NODES % 8);
		scene_job(scene, project, name, "2h", "0.5", PODS_EACH, .places = (const char *const *)places,
			.reason = "NoRoom: no node can give that now");
		for (int pod = 0; pod < PODS_EACH; pod++)
			free(places[pod]);
	}
}

/* The set of workloads forgets what it has summed up when anything changes: one pod is put in again. */
static const struct tui_world *make_again(struct scene *scene)
{
	stint_workload_set_put(scene->set, scene->pods.items[0]);
	return scene_world(scene);
}

static bool measure(struct scene *scene)
{
	const struct tui_settings settings = {.utf8 = true, .depth = TUI_256, .frames = 20};
	const struct tui_outside nobody = {0};
	struct tui_cells cells = {0};
	struct tui_app *app = tui_app_new(&settings, &nobody);
	double start = cpu_ms();
	tui_app_world(app, scene_world(scene), SCENE_NOW_MS);
	tui_app_draw(app, &cells, 120, 40, SCENE_NOW_MS);
	bool kept = row("first picture, once the lists have arrived", cpu_ms() - start, 300);
	start = cpu_ms();
	for (int round = 0; round < ROUNDS; round++)
		make_again(scene);
	row("a world made anew", (cpu_ms() - start) / ROUNDS, 0);
	for (enum tui_view_name view = TUI_OVERVIEW; view < TUI_TABS; view++) {
		stint_autofree char *what = stint_format("the %s view: rows and frame", tui_view_of(view)->name);
		tui_app_world(app, make_again(scene), SCENE_NOW_MS);
		start = cpu_ms();
		for (int round = 0; round < ROUNDS; round++) {
			tui_app_show(app, view);
			tui_app_draw(app, &cells, 200, 60, SCENE_NOW_MS);
		}
		row(what, (cpu_ms() - start) / ROUNDS, 0);
	}
	tui_app_show(app, TUI_WORKLOADS);
	start = cpu_ms();
	for (int round = 0; round < ROUNDS; round++) {
		tui_app_key(app, 'j', 0, 0, SCENE_NOW_MS);
		tui_app_draw(app, &cells, 200, 60, SCENE_NOW_MS);
	}
	kept &= row("a key in the workloads view, and its frame", (cpu_ms() - start) / ROUNDS, 5);
	tui_app_free(app);
	tui_cells_free(&cells);
	return kept;
}

static double memory_mib(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file && fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * 4096 / 1024 / 1024;
}

/* Four pods that say 10,000 lines a second together, for HOURS_LINES lines: memory after the first tenth and at the end. */
static bool measure_logs(void)
{
	enum { LINES = 36000000, PIECE = 100 };
	struct tui_log log = {0};
	struct tui_log_source sources[4] = {{.prefix = NULL}};
	struct stint_buf piece = {0};
	double early = 0;
	for (int at = 0; at < PIECE; at++)
		stint_buf_printf(&piece, "step %d loss 0.%d lr 3.0e-4 grad_norm 1.%d tokens/s 41%03d on device %d\n", at, at * 37, at % 9,
			at, at % 8);
	const double start = cpu_ms();
	for (int at = 0; at < LINES / PIECE; at++) {
		tui_log_feed(&log, &sources[at % 4], piece.data, piece.length);
		if (at == LINES / PIECE / 10)
			early = memory_mib();
	}
	const double spent = cpu_ms() - start, grown = memory_mib() - early;
	const bool flat = grown < 1;
	printf("%-58s %10.2f MiB  bar 1 MiB        %s\n", "memory that an hour of logs at 10,000 lines/s adds", grown,
		flat ? "kept" : "MISSED");
	row("processor time of it, a second of logs", spent / 3600, 0);
	for (size_t at = 0; at < STINT_COUNT(sources); at++)
		tui_log_finish(&log, &sources[at]);
	tui_log_free(&log);
	stint_buf_free(&piece);
	return flat;
}

int main(void)
{
	struct scene scene;
	scene_open(&scene);
	fill(&scene);
	bool kept = measure(&scene);
	scene_close(&scene);
	kept &= measure_logs();
	return kept ? 0 : 1;
}
