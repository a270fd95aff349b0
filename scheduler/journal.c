/*
 * journal: decisions to lines. See journal.h.
 *
 * State: a file descriptor. A cycle's lines are one write. A failed write ends the journal, never the scheduling.
 */
#include <scheduler/journal.h>

#include <stint/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stint_journal {
	int fd;
	const struct stint_logger *logger;
};

struct stint_journal *stint_journal_open(const char *path, const struct stint_logger *logger)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0) {
		stint_log(
			logger, STINT_LOG_ERROR, "the journal %s cannot be opened (%s): decisions are not recorded", path, strerror(errno));
		return NULL;
	}
	struct stint_journal *journal = stint_alloc(sizeof(*journal));
	*journal = (struct stint_journal){fd, logger};
	return journal;
}

void stint_journal_close(struct stint_journal *journal)
{
	if (!journal)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

/* Nothing is added when the pod or the node is not known. */
static void add_line(struct stint_buf *out, const struct stint_engine *engine, const struct stint_decision *decision, int64_t now_ms)
{
	static const char *const kinds[] = {[STINT_DECIDE_BIND] = "bind",
		[STINT_DECIDE_RESERVE] = "reserve",
		[STINT_DECIDE_EVICT] = "evict",
		[STINT_DECIDE_WITHDRAW] = "withdraw"};
	struct stint_pod_view pod;
	struct stint_group_view group;
	struct stint_node_view node;
	if (!stint_engine_pod_view(engine, decision->pod, &pod) || !stint_engine_node_view(engine, decision->node, &node))
		return;
	char time[STINT_TIME_SIZE];
	stint_auto_json *line = stint_json_new_object();
	stint_json_set_string(line, "time", stint_time_format(now_ms, time));
	stint_json_set_string(line, "decision", kinds[decision->kind]);
	stint_json_set_string(line, "action", stint_action_name(decision->action));
	if (stint_engine_group_view(engine, decision->group, &group))
		stint_json_set_string(line, "group", group.key);
	stint_autofree char *name = stint_format("%s/%s", pod.pod->meta.space, pod.pod->meta.name);
	stint_json_set_string(line, "pod", name);
	stint_json_set_string(line, "uid", pod.pod->meta.uid);
	stint_json_set_string(line, "node", node.name);
	if (decision->devices) {
		struct stint_json *devices = stint_json_ensure_array(line, "devices");
		for (int slot = 0; slot < STINT_MAX_DEVICES; slot++) {
			if (decision->devices >> slot & 1)
				stint_json_append(devices, stint_json_new_int(slot));
		}
		stint_json_set_double(line, "portion", (double)decision->portion_percent / 100);
	}
	stint_json_print_to(out, line);
	stint_buf_putc(out, '\n');
}

void stint_journal_write(struct stint_journal *journal, const struct stint_engine *engine, const struct stint_cycle *cycle, int64_t now_ms)
{
	if (journal->fd < 0 || cycle->count == 0)
		return;
	stint_auto_buf lines = {0};
	for (size_t i = 0; i < cycle->count; i++)
		add_line(&lines, engine, &cycle->decisions[i], now_ms);
	if (lines.length && write(journal->fd, lines.data, lines.length) != (ssize_t)lines.length) {
		stint_log(journal->logger, STINT_LOG_ERROR, "the journal cannot be written (%s): it ends here", strerror(errno));
		close(journal->fd);
		journal->fd = -1;
	}
}
