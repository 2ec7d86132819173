-- Health of a MazeWorkflow for Argo CD, by the same conditions that kstatus reads. Only Lua's base library is needed.

local function condition(name)
  for _, c in ipairs((obj.status or {}).conditions or {}) do
    if c.type == name then
      return c
    end
  end
  return {}
end

local function health(status, message)
  return {status = status, message = message}
end

if obj.metadata.deletionTimestamp then
  return health("Progressing", "the workflow is being deleted")
end

-- Conditions of another generation say nothing about this one.
if not obj.status or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not judged generation " .. tostring(obj.metadata.generation) .. " yet")
end

local ready, stalled, placeable = condition("Ready"), condition("Stalled"), condition("Placeable")

if stalled.status == "True" then
  return health("Degraded", stalled.message)
end

if ready.status == "True" then
  local message = ready.message
  -- Healthy all the same: nodes may be added for its tasks, and an autoscaler does so only if they are used.
  if placeable.status == "False" then
    message = message .. "; " .. placeable.message
  end
  return health("Healthy", message)
end

-- A task may mend it, which may come from the same commit a moment later.
return health("Progressing", ready.message or "the operator has not set the condition Ready yet")
