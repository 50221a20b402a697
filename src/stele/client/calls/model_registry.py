"""The model registry: registered models, versions, aliases, stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stele.client.calls.logged_models import LoggedModelCalls
from stele.client.paged_list import PagedList
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema import registered_models as rm
from stele.schema.registered_models import ModelVersion, RegisteredModel

__all__ = ["RegistryCalls"]

_ADDRESSES = "models:/<name>/<version>, /<stage> or /latest, or models:/<name>@<alias>"
_STAGES = ["None", "Staging", "Production", "Archived"]


class RegistryCalls(LoggedModelCalls):
    """The part of a client that is about the registry.

    Each change is recorded with who made it and when, and with ``reason`` where one is given.
    """

    # -- models

    def create_registered_model(
        self,
        name: str,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Make a registered model without versions.

        Args:
            name: Its name, up to 256 characters, without ``/`` and ``:``.
            tags: Tags by key; values become text.
            description: Free text.
            deployment_job_id: Of a hosted service; not used.

        Raises:
            AlreadyExists: There is one with this name.
            InvalidParameterValue: The name or a tag is not allowed.
        """
        del deployment_job_id
        listed = [rm.RegisteredModelTag(str(key), str(value)) for key, value in (tags or {}).items()]
        request = rm.CreateRegisteredModel(name=name, tags=listed, description=description or "")
        return self._registry.create_registered_model(request).registered_model

    def get_registered_model(self, name: str) -> RegisteredModel:
        """A registered model with its newest versions, aliases and tags.

        Raises:
            DoesNotExist: There is none with this name.
        """
        return self._registry.get_registered_model(rm.RegisteredModelName(name=name)).registered_model

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name; its versions, aliases and tags stay.

        Raises:
            AlreadyExists: There is one with the new name.
            DoesNotExist: There is none with the old name.
            InvalidParameterValue: The new name is not allowed.
        """
        request = rm.RenameRegisteredModel(name=name, new_name=new_name)
        return self._registry.rename_registered_model(request).registered_model

    def update_registered_model(
        self, name: str, description: str | None = None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Set the description of a registered model; None removes it.

        Raises:
            DoesNotExist: There is no such model.
        """
        del deployment_job_id
        request = rm.UpdateRegisteredModel(name=name, description=description)
        return self._registry.update_registered_model(request).registered_model

    def delete_registered_model(self, name: str, *, reason: str = "") -> None:
        """Remove a registered model with its versions, aliases and tags; the events of it stay.

        Raises:
            DoesNotExist: There is no such model.
        """
        self._registry.delete_registered_model(rm.RegisteredModelName(name=name, reason=reason))

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """One page of the registered models that fit a filter.

        Args:
            filter_string: Such as ``name LIKE 'fraud%' AND tags.team = 'risk'``.
            max_results: Size of the page, up to 1000.
            order_by: Such as ``["timestamp DESC"]``; by name without it.
            page_token: Token of the page before.

        Raises:
            InvalidParameterValue: An argument is not allowed.
        """
        request = rm.SearchRegisteredModels(
            filter=filter_string or "",
            max_results=max_results,
            order_by=list(order_by or ()),
            page_token=page_token or "",
        )
        response = self._registry.search_registered_models(request)
        return PagedList(response.registered_models, response.next_page_token)

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """The newest version in each stage.

        Args:
            name: The registered model.
            stages: Which stages; None means all.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: There is no such stage.
        """
        request = rm.GetLatestVersions(name=name, stages=list(stages or ()))
        return list(self._registry.get_latest_versions(request).model_versions)

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set a tag of a registered model; the value becomes text.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: The key or value is not allowed.
        """
        self._registry.set_registered_model_tag(rm.SetRegisteredModelTag(name=name, key=key, value=str(value)))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a registered model, if it is there.

        Raises:
            DoesNotExist: There is no such model.
        """
        self._registry.delete_registered_model_tag(rm.RegisteredModelTagName(name=name, key=key))

    # -- versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int = 300,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Add a version to a registered model. It has the next number, and is ready at once.

        Args:
            name: The registered model.
            source: Where its files are: ``models:/m-...``, ``models:/name/version``, ``runs:/...``, a path among the
                files of the run or model that is named, or an address in an object store.
            run_id: The run that made it.
            tags: Tags by key; values become text.
            run_link: An address where the run can be seen.
            description: Free text.
            await_creation_for: Seconds; not used, there is nothing to wait for.
            model_id: The logged model that it is.

        Raises:
            DoesNotExist: There is no such registered or logged model.
            InvalidParameterValue: The source may not be one.
        """
        del await_creation_for
        request = rm.CreateModelVersion(
            name=name,
            source=source,
            run_id=run_id or "",
            tags=[rm.ModelVersionTag(str(key), str(value)) for key, value in (tags or {}).items()],
            run_link=run_link or "",
            description=description or "",
            model_id=model_id or "",
        )
        return self._registry.create_model_version(request).model_version

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Add a version of one registered model, with its tags and description, to another one.

        Args:
            src_model_uri: ``models:/name/version`` or another address of a version.
            dst_name: The other registered model; it is made when it does not exist.

        Raises:
            DoesNotExist: There is no such version.
            InvalidParameterValue: The address is none of a version.
        """
        source = self.version_at(src_model_uri)
        self.ensure_registered_model(dst_name)
        uri = f"models:/{source.name}/{source.version}"
        return self.create_model_version(dst_name, uri, source.run_id, source.tags, source.run_link, source.description)

    def ensure_registered_model(self, name: str) -> None:
        """Make a registered model unless it exists.

        Raises:
            InvalidParameterValue: The name is not allowed.
        """
        try:
            self.get_registered_model(name)
        except DoesNotExist:
            self.create_registered_model(name)

    def version_at(self, uri: str) -> ModelVersion:
        """The version that an address of the registry names now.

        Args:
            uri: ``models:/<name>/<version>``, ``/<stage>``, ``/latest`` or ``models:/<name>@<alias>``.

        Raises:
            DoesNotExist: There is no such model, version or stage.
            InvalidParameterValue: It is no such address, or there is no such alias.
        """
        version, path = self.version_and_path(uri)
        if path:
            raise InvalidParameterValue(f"{shown(uri)} names a file, not a version. The addresses are {_ADDRESSES}.")
        return version

    def version_and_path(self, uri: str) -> tuple[ModelVersion, str]:
        """The same where a path in the model may follow.

        Raises:
            DoesNotExist: There is no such model, version or stage.
            InvalidParameterValue: It is no such address, or there is no such alias.
        """
        name, _, rest = uri.removeprefix("models:/").strip("/").partition("/")
        plain, at, alias = name.partition("@")
        if uri.startswith("models:/") and at and plain and alias:
            return self.get_model_version_by_alias(plain, alias), rest
        which, _, path = rest.partition("/")
        if not uri.startswith("models:/") or at or not plain or not which:
            raise InvalidParameterValue(f"{shown(uri)} is no address of a version. The addresses are {_ADDRESSES}.")
        if which.isascii() and which.isdigit():
            return self.get_model_version(name, which), path
        return self._newest_version(name, None if which.lower() == "latest" else which), path

    def _newest_version(self, name: str, stage: str | None) -> ModelVersion:
        """The newest version in a stage; None means any."""
        found = self.get_latest_versions(name, None if stage is None else [stage])
        if not found:
            place = "yet" if stage is None else f"in {stage}"
            raise DoesNotExist(f"The registered model {shown(name)} has no version {place}.")
        return max(found, key=lambda version: int(version.version))

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """A version.

        Raises:
            DoesNotExist: There is no such model or version.
            InvalidParameterValue: The version is no number.
        """
        request = rm.ModelVersionName(name=name, version=str(version))
        return self._registry.get_model_version(request).model_version

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """The address of the files of a version.

        Raises:
            DoesNotExist: There is no such model or version.
        """
        request = rm.ModelVersionName(name=name, version=str(version))
        return self._registry.get_model_version_download_uri(request).artifact_uri

    def get_model_version_stages(self, name: str, version: str) -> list[str]:
        """The stages that a version can have."""
        del name, version
        return list(_STAGES)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """One page of the versions that fit a filter.

        Args:
            filter_string: Such as ``name = 'fraud' AND version_number > 3``.
            max_results: Size of the page, up to 200 000.
            order_by: Such as ``["version_number DESC"]``; those that changed last come first without it.
            page_token: Token of the page before.

        Raises:
            InvalidParameterValue: An argument is not allowed.
        """
        request = rm.SearchModelVersions(
            filter=filter_string or "",
            max_results=max_results,
            order_by=list(order_by or ()),
            page_token=page_token or "",
        )
        response = self._registry.search_model_versions(request)
        return PagedList(response.model_versions, response.next_page_token)

    def update_model_version(self, name: str, version: str, description: str | None = None) -> ModelVersion:
        """Set the description of a version; None removes it.

        Raises:
            DoesNotExist: There is no such model or version.
        """
        request = rm.UpdateModelVersion(name=name, version=str(version), description=description)
        return self._registry.update_model_version(request).model_version

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool = False, *, reason: str = ""
    ) -> ModelVersion:
        """Move a version to a stage.

        Args:
            name: The registered model.
            version: The version.
            stage: ``None``, ``Staging``, ``Production`` or ``Archived``, in any case.
            archive_existing_versions: Whether the others of that stage (Staging or Production) become Archived.
            reason: Why; kept with the event.

        Raises:
            DoesNotExist: There is no such model or version.
            InvalidParameterValue: There is no such stage.
            PermissionDenied: The stage is protected.
        """
        request = rm.TransitionModelVersionStage(
            name=name,
            version=str(version),
            stage=stage,
            archive_existing_versions=archive_existing_versions,
            reason=reason,
        )
        return self._registry.transition_model_version_stage(request).model_version

    def delete_model_version(self, name: str, version: str, *, reason: str = "") -> None:
        """Remove a version with its tags and aliases; its number is not used again.

        Raises:
            DoesNotExist: There is no such model or version.
        """
        self._registry.delete_model_version(rm.ModelVersionName(name=name, version=str(version), reason=reason))

    def set_model_version_tag(
        self, name: str, version: str | None = None, key: str | None = None, value: Any = None, stage: str | None = None
    ) -> None:
        """Set a tag of a version; the value becomes text.

        Args:
            name: The registered model.
            version: The version.
            key: The key.
            value: The value.
            stage: Instead of a version, the newest one of a stage.

        Raises:
            DoesNotExist: There is no such model or version.
            InvalidParameterValue: The key or value is not allowed, or not exactly one of version and stage was given.
        """
        number = self._version_number(name, version, stage)
        request = rm.SetModelVersionTag(name=name, version=number, key=key or "", value=str(value))
        self._registry.set_model_version_tag(request)

    def delete_model_version_tag(
        self, name: str, version: str | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Remove a tag of a version, if it is there; see :meth:`set_model_version_tag`."""
        number = self._version_number(name, version, stage)
        self._registry.delete_model_version_tag(rm.ModelVersionTagName(name=name, version=number, key=key or ""))

    def _version_number(self, name: str, version: str | None, stage: str | None) -> str:
        if (version is None) == (stage is None):
            raise InvalidParameterValue("Name either a version or a stage.")
        if version is not None:
            return str(version)
        return self._newest_version(name, stage).version

    # -- aliases

    def set_registered_model_alias(
        self, name: str, alias: str, version: str, *, reason: str = "", expected_version: str | None = None
    ) -> None:
        """Let an alias point to a version, from wherever it pointed before.

        Args:
            name: The registered model.
            alias: Letters, digits, ``_`` and ``-``; not ``latest``, nor ``v`` and a number.
            version: The version.
            reason: Why; kept with the event.
            expected_version: Move it only if it points there now; an empty text means nowhere.

        Raises:
            Conflict: It points somewhere else now.
            DoesNotExist: There is no such model or version.
            InvalidParameterValue: The alias is not allowed.
            PermissionDenied: The alias is protected.
        """
        request = rm.SetRegisteredModelAlias(
            name=name, alias=alias, version=str(version), reason=reason, expected_version=expected_version
        )
        self._registry.set_registered_model_alias(request)

    def delete_registered_model_alias(self, name: str, alias: str, *, reason: str = "") -> None:
        """Remove an alias, if it is there.

        Raises:
            DoesNotExist: There is no such model.
            PermissionDenied: The alias is protected.
        """
        request = rm.RegisteredModelAliasName(name=name, alias=alias, reason=reason)
        self._registry.delete_registered_model_alias(request)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias points to; ``latest`` is the newest one.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: There is no such alias.
        """
        request = rm.RegisteredModelAliasName(name=name, alias=alias)
        return self._registry.get_model_version_by_alias(request).model_version
