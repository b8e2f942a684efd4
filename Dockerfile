# Nightshift with its own Node; Postgres and Redis are given by databaseUrl and redisUrl.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The embedded Postgres and the packaged Node are optional packages: an image has its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY --from=build /app/dist dist
COPY config config
COPY jobs jobs
# A volume that is mounted here begins with this owner. Where the platform chooses the user (OpenShift), its group is root.
RUN install -d -o node -g root -m 0770 reports evidence
USER node
# Live as long as the process answers, where it has a port to be asked at.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["node", "dist/cli/health.js"]
# exec form: SIGTERM reaches node, which drains.
ENTRYPOINT ["node", "dist/cli/bin.js"]
CMD ["start"]
