/* SPDX-License-Identifier: MIT */
/*
 * log.h - messages for the administrator, one line each. It is not a trace of
 * packets.
 */
#ifndef TUND_BASE_LOG_H
#define TUND_BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Call once, before there are threads; until then the level is notice. */
void log_set_level(enum log_level level);

/* From here on messages go to syslog(3) in place of standard error. */
void log_to_syslog(void);

/* Returns the level of that name, or -EINVAL. */
int log_level_from_name(const char *name);

/* The names, for a usage text or an error. */
#define LOG_LEVEL_NAMES "error, warning, notice, info, debug"

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_message(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
