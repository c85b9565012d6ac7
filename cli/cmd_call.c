/*
 * heroctl call: any method of the daemon, by name.
 */
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "hero/v1/records.pb-c.h"
#include "input.h"
#include "output.h"

static void print_methods(FILE *out)
{
    static const ProtobufCServiceDescriptor *const services[] = {&hero__v1__records__descriptor,
                                                                 &hero__v1__models__descriptor,
                                                                 &hero__v1__admin__descriptor};

    fputs("\nMethods:\n", out);
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        for (unsigned j = 0; j < services[i]->n_methods; j++) {
            const ProtobufCMethodDescriptor *method = &services[i]->methods[j];

            fprintf(out, "  %s/%-7s  %s -> %s\n", services[i]->short_name, method->name,
                    method->input->name, method->output->name);
        }
    }
}

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    const char *name = arguments->operands[0], *slash = strchr(name, '/');
    char *json = NULL, *method = NULL;

    if (!slash || slash == name || !slash[1])
        return report_usage(arguments, "'%s' is no method; it looks like Records/Get", name);
    if (arguments->format == FORMAT_CSV)
        return report_usage(arguments, "call prints JSON; it knows no csv");
    int result =
        input_json(context, arguments->n_operands > 1 ? arguments->operands[1] : "{}", &json);
    if (result)
        return result;
    const char *package = memchr(name, '.', (size_t)(slash - name)) ? "" : "hero.v1.";
    hero_result *answer = NULL;
    if (asprintf(&method, "%s%s", package, name) < 0) {
        free(json);
        return report_local(context, "out of memory");
    }
    if (context_connect(context))
        answer = hero_client_call_json(context->client, method, json, &context->error);
    free(method);
    free(json);
    if (!answer)
        return report_error(context);
    output_json_text(context, hero_result_text(answer));
    hero_result_free(answer);
    return EXIT_DONE;
}

const struct command command_call = {
    .name = "call",
    .operands = "METHOD [JSON|-]",
    .help = "Call any method of the daemon by name, JSON in and out",
    .details = "METHOD is Records/Get or hero.v1.Records/Get. The JSON is that of protobuf: bytes\n"
               "in base64; a record in it is a packed message. Prints JSON, with -o jsonl on one\n"
               "line.\n",
    .example = "  heroctl call Admin/Stats\n"
               "  heroctl call Models/Get '{\"name\": \"hero\"}'\n",
    .n_operands_min = 1,
    .n_operands_max = 2,
    .run = run,
    .more_help = print_methods,
};
