# Nightshift with its own Node; Postgres and Redis are given by database_url and redis_url.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The embedded Postgres is an optional package: an image gets its store from outside.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY src src
COPY config config
COPY jobs jobs
USER node
# exec form: SIGTERM reaches node, which drains.
ENTRYPOINT ["node", "src/cli/bin.js"]
CMD ["start"]
