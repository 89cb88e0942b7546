# One image for every process of the mesh; the command chooses: dist/edge/main.js (default), dist/actors/main.js <actor>, dist/deploy/provision/main.js.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# What is installed changes less often than what is built: its layer is kept.
COPY package.json package-lock.json .npmrc ./
COPY deploy/uws-binary.ts deploy/uws-binary.ts
# Ends with the check of the uWebSockets binary's SHA-256.
RUN npm ci --no-audit --no-fund
# The same again without development's packages, and of uWebSockets.js with the one binary that this Node loads here (there are 40, of 4 MB each).
RUN mkdir /production && cp package.json package-lock.json .npmrc /production \
  && npm ci --prefix /production --omit=dev --ignore-scripts --no-audit --no-fund \
  && find /production/node_modules/uWebSockets.js -name 'uws_*.node' \
    ! -name "uws_linux_$(node -p process.arch)_$(node -p process.versions.modules).node" -delete
COPY tsconfig.json tsconfig.build.json ./
COPY contracts contracts
COPY actors actors
COPY edge edge
COPY deploy deploy
RUN npm run build

# With development's packages: for compose's stand-in of Cognito, which is none of the mesh's own.
FROM build AS stand-in
RUN install -d -o node /data
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPERATIONS_PORT}/health/ready`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--import", "tsx"]

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  PORT=3000 \
  OPERATIONS_PORT=9464
WORKDIR /app
COPY --from=build /production/package.json ./
COPY --from=build /production/node_modules node_modules
COPY --from=build /app/dist dist
USER node
# The API, and beside it metrics, health and traces: the second is for the inside only.
EXPOSE 3000 9464
# Drains: edges let their callers finish, actors settle what they hold. Give it longer than the 30 s that draining may take.
STOPSIGNAL SIGTERM
# Every process has it; the image brings no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPERATIONS_PORT}/health/ready`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell between: signals reach the process itself.
ENTRYPOINT ["node"]
CMD ["dist/edge/main.js"]
